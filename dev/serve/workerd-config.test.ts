import { expect, test } from "vitest";
import { workerdConfig, type WorkerdConfig } from "./workerd-config.ts";

const edge = {
  name: "edge",
  modules: ["/bundle/edge/index.js"],
  metafile: "/bundle/edge/bundle-meta.json",
  compatibilityDate: "2026-10-15",
  compatibilityFlags: ["enable_request_signal"],
  vars: { ROUTER: "in-process" },
  kvNamespaces: [{ binding: "CONFIG", id: "config" }],
  durableObjects: [{ binding: "BUCKET", className: "Bucket" }],
  services: [{ binding: "ORIGIN_ROUTER", service: "router" }],
};
const config: WorkerdConfig = {
  edge,
  router: null,
  texts: { FLEET: '{"a":"b\\n\u0001"}' },
  kvSeeds: { config: { "tenant:x": "{}" } },
  v8Flags: [],
  folder: "/bundle/work",
  host: "127.0.0.1",
  port: 1,
  objectsFolder: "/state",
  scripts: { kv: "kv", cache: "cache" },
};

test("every binding of the bundle is given, and the router's only where it runs", () => {
  const text = workerdConfig(config);
  for (const part of [
    'embed "../edge/index.js"',
    'kvNamespace = "kv-config"',
    'className = "Bucket", uniqueKey = "edge-Bucket", enableSql = true',
    '(name = "SEED", text = "{\\"tenant:x\\":\\"{}\\"}")',
  ])
    expect(text).toContain(part);
  expect(text).not.toContain("ORIGIN_ROUTER");
  const router = { ...edge, name: "router", durableObjects: [], services: [] };
  expect(workerdConfig({ ...config, router })).toContain('(name = "ORIGIN_ROUTER", service = "router")');
});

test("whoever reads strangers' documents is bound where it runs, and gets nothing itself", () => {
  const services = [{ binding: "DOCUMENT_READER", service: "documents" }];
  const documents = {
    ...edge,
    name: "documents",
    vars: {},
    kvNamespaces: [],
    durableObjects: [],
    services: [],
  };
  const reading = { ...config, edge: { ...edge, services } };
  expect(workerdConfig(reading)).not.toContain("DOCUMENT_READER");
  const text = workerdConfig({ ...reading, documents });
  expect(text).toContain('(name = "DOCUMENT_READER", service = "documents")');
  const [, its = ""] = text.split('(name = "documents", worker = ');
  expect(its.slice(0, its.indexOf("))"))).toMatch(/bindings = \[\s*\],\s*$/);
});

test("texts are escaped as capnp reads them", () => {
  expect(workerdConfig(config)).toContain('text = "{\\"a\\":\\"b\\\\n\\x01\\"}"');
});

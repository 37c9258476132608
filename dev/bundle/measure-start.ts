/**
 * How long does V8 take to parse a bundle, and how long to evaluate it? In milliseconds of the thread's own CPU, which other processes
 * disturb less than a clock. And how many zod schemas does the evaluation make (`schemas`), beside those that are only promised (`lazy`)?
 * The same number every time. One measurement a process, printed as JSON.
 * `node --experimental-vm-modules dev/bundle/measure-start.ts <entry module> [more modules]`.
 */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { SourceTextModule, SyntheticModule, type Module } from "node:vm";

const files = process.argv.slice(2);
const [entry] = files;
if (entry === undefined) throw new Error("names no module");

/** What modules need from the platform during evaluation: classes to extend, and globals. */
Object.assign(globalThis, { caches: { default: {} } });
class Stub {
  readonly isStub = true;
}
const platform = ["DurableObject", "WorkerEntrypoint", "RpcTarget", "env", "exports", "tracing", "waitUntil"];

const known = new Map<string, Module>();

function synthetic(values: Readonly<Record<string, unknown>>): Module {
  const names = Object.keys(values);
  return new SyntheticModule(names, function fill(this: SyntheticModule) {
    for (const name of names) this.setExport(name, values[name]);
  });
}

async function resolve(specifier: string): Promise<Module> {
  if (specifier === "cloudflare:workers")
    return synthetic(Object.fromEntries(platform.map((name) => [name, Stub])));
  if (specifier.startsWith("cloudflare:")) return synthetic({ connect: () => undefined });
  const own = files.find((file) => basename(file) === basename(specifier));
  if (own !== undefined) return sourceOf(own);
  return synthetic((await import(specifier)) as Readonly<Record<string, unknown>>);
}

function sourceOf(file: string): Module {
  const module = known.get(file) ?? new SourceTextModule(readFileSync(file, "utf8"), { identifier: file });
  known.set(file, module);
  return module;
}

const counts = { schemas: 0, lazy: 0 };
/** zod's own hook, which is called for every schema and every check. */
const afterMaking = ({
  _zod: { def },
}: {
  readonly _zod: { readonly def: { readonly type?: string } };
}): void => {
  if (def.type !== undefined) counts[def.type === "lazy" ? "lazy" : "schemas"] += 1;
};
Object.assign(globalThis, { __zod_globalConfig: { postProcessor: afterMaking } });

function cpuMilliseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const begun = cpuMilliseconds();
const module = sourceOf(entry);
const parsed = cpuMilliseconds();
await module.link(resolve);
const linked = cpuMilliseconds();
await module.evaluate();
console.log(JSON.stringify({ parse: parsed - begun, evaluate: cpuMilliseconds() - linked, ...counts }));

/**
 * The composition root: what lives as long as the isolate, built from `Env` on its first request. It alone sees bindings;
 * everything else gets ports. Nothing here belongs to one request: requests hand in their `Background`.
 */
import devFleet from "../../config/fleet.dev.json";
import { DirectRows } from "../../src/shared/archive/direct-rows.ts";
import type { Archive } from "../../src/shared/archive/ports.ts";
import type { AnswerCache } from "../../src/shared/cache/ports.ts";
import { createAnswerCache } from "../../src/shared/cache/answer-cache.ts";
import type { CacheEntry } from "../../src/shared/cache/cache-entry.ts";
import type { Background } from "../../src/shared/contracts/background.ts";
import type { Jurisdiction } from "../../src/shared/contracts/owner.ts";
import type { ReportFault } from "../../src/shared/contracts/report-fault.ts";
import type { Firewall } from "../../src/shared/firewall/firewall.ts";
import type { NonceLedger } from "../../src/shared/signing/ports.ts";
import { SignatureKeys } from "../../src/shared/signing/signature-key.ts";
import { nonceLedger } from "../../durable-objects/nonce-ledger/nonce-ledger-port.ts";
import { createIdentify } from "../../src/shared/identity/identify.ts";
import type { Identify } from "../../src/shared/identity/identity.ts";
import { createKeyDirectory } from "../../src/shared/identity/key-directory.ts";
import { keySetCache, keySetFetcher } from "../../src/shared/identity/key-set-fetch.ts";
import { platformIssuer } from "../../src/shared/identity/platform-issuer.ts";
import { AnswerLengths } from "../../src/shared/limits/answer-lengths.ts";
import type { LimitDesk } from "../../src/shared/limits/limit-desk.ts";
import type { DeskOptions } from "../../src/shared/limits/desk-options.ts";
import type { Admission } from "../../src/shared/limits/ports.ts";
import { RecentMap } from "../../src/shared/limits/recent-map.ts";
import { createBucketCall } from "../../durable-objects/token-bucket/bucket-call.ts";
import { archiveOf } from "../../durable-objects/storage/archive-binding.ts";
import { TokenCalibration } from "../../src/shared/prompt/token-calibration.ts";
import type { Transport } from "../../src/shared/routing/attempt.ts";
import { poolControl } from "../../durable-objects/origin-pool/pool-port.ts";
import type { PoolControl } from "../../src/shared/routing/pool/pool-action.ts";
import { ReceiptSigner } from "../../src/shared/receipts/receipt-signer.ts";
import { createFleetSource, type FleetSource } from "../../src/shared/routing/fleet/fleet-source.ts";
import { createOriginRouter } from "../../src/shared/routing/origin-router.ts";
import { Poller } from "../../src/shared/routing/poller.ts";
import type { FleetIndex } from "../../src/shared/routing/fleet/fleet-index.ts";
import type { Origin } from "../../src/shared/routing/ports.ts";
import { RouterState } from "../../src/shared/routing/router-state.ts";
import type { ScreenDeps } from "../../src/shared/safety/screen-prompt.ts";
import { LineBuffer } from "../../src/shared/telemetry/line-buffer.ts";
import { injectionLabels } from "../../src/shared/telemetry/metrics/injection-labels.ts";
import type { MetricRecorder } from "../../src/shared/telemetry/metrics/metric-recorder.ts";
import { createTenantDirectory, type TenantDirectory } from "../../src/shared/tenancy/tenant-directory.ts";
import { base32 } from "../../src/shared/turn/base32.ts";
import { KeyedHash } from "../../src/shared/turn/keyed-hash.ts";
import type { TurnDeps } from "../../src/shared/turn/ports.ts";
import { hubRecorder } from "../hub-recorder.ts";
import { originTransport } from "../origin-bindings.ts";
import { cacheApiTier } from "./adapters/cache-api.ts";
import { kvTier } from "./adapters/kv-answers.ts";
import { semanticParts } from "./semantic-parts.ts";
import { servicePools } from "./adapters/service-pools.ts";
import { serviceOrigin } from "./adapters/service-origin.ts";
import { edgeFirewall } from "./firewall-parts.ts";
import { deskMaker } from "./limit-parts.ts";
import { secretByName, secretOf, signingSecretByName } from "./secrets.ts";
import { checkVariables } from "./variables.ts";
import { sleep, startTimer } from "./timers.ts";
import { report, writeLines } from "./worker-log.ts";
import { createPoolLinks } from "../origin-router/pools.ts";
import { configStore } from "./seed.ts";
import { shadowTurns } from "./shadow-parts.ts";

export interface Isolate {
  readonly env: Cloudflare.Env;
  readonly identify: Identify;
  readonly fleet: FleetSource;
  readonly tenants: TenantDirectory;
  readonly firewall: Firewall;
  readonly signatureKeys: SignatureKeys;
  readonly nonces: NonceLedger;
  /** One call of a bucket, for settlements by id and for `/v1/usage`. */
  readonly callBucket: DeskOptions["call"];
  readonly hash: KeyedHash;
  readonly screen: ScreenDeps;
  readonly log: LineBuffer;
  readonly metrics: MetricRecorder;
  readonly archive: Archive;
  readonly directRows: DirectRows;
  readonly receipts: ReceiptSigner;
  readonly report: ReportFault;
  /** Writes a line to the Worker's log at once, for facts that must be known outside of its objects. */
  readonly witness: (fact: Readonly<Record<string, unknown>>) => void;
  /** Is this credential revoked? For requests without admission. */
  readonly credentialStanding: LimitDesk["standingOf"];
  readonly now: () => number;
  /** The way to replicas, for the pools that live in this Worker. */
  readonly transport: Transport;
  /** A cluster's pool as admins see and change it, wherever the router is mounted. */
  readonly pools: PoolControl;
  /** The origin router as it is mounted (ROUTER). */
  origin(fleet: FleetIndex, background: Background): Origin;
  /** For operations that count as a request and need no model. */
  admission(background: Background): Admission;
  turnDeps(fleet: FleetIndex, background: Background): TurnDeps;
  /** The same inside an object, which admits one turn by its id and takes no loans. */
  durableTurnDeps(fleet: FleetIndex, background: Background): TurnDeps;
}

/** Half of the answers that an isolate remembers; each at most 16 K characters. */
const rememberedAnswers = 128;

let built: Isolate | null = null;

/** Throws if a variable or secret is missing or wrong, naming it: a misconfigured Worker says so at once. */
export function isolateOf(env: Cloudflare.Env): Isolate {
  built ??= build(env);
  return built;
}

function build(env: Cloudflare.Env): Isolate {
  checkVariables(env);
  const now = (): number => Date.now();
  const platform = platformIssuer(env);
  if (!platform.ok) throw new TypeError(platform.error);
  const store = configStore(env);
  const callBucket = createBucketCall(env.TOKEN_BUCKET, env.ENVIRONMENT === "production");
  const metrics = hubRecorder(env.METRICS_HUB, now);
  const desk = deskMaker(env, callBucket, now, metrics);
  const limits = desk(true);
  const tenants = createTenantDirectory({ store, now, report });
  const state = new RouterState();
  const poller = new Poller();
  const pools = createPoolLinks(env.ORIGIN_POOL, state);
  const calibration = new TokenCalibration();
  const answerLengths = new AnswerLengths();
  const hash = new KeyedHash(secretOf(env));
  const salts = createCacheSalts(hash);
  const archive = archiveOf(env);
  const near = cacheApiTier(caches.default);
  const far = kvTier(env.ANSWERS);
  const semantic = semanticParts(env, hash, now, startTimer, report);
  const remembered = new RecentMap<CacheEntry>(rememberedAnswers);
  const madeMs = new RecentMap<number>(rememberedAnswers);
  const log = new LineBuffer({ write: writeLines, maxLines: 128, maxDelayMs: 50, sleep });
  const transport = originTransport(env, now, report);
  const binding = env.ORIGIN_ROUTER;
  if (env.ROUTER === "service" && binding === undefined)
    throw new TypeError('ROUTER: is "service" without the binding ORIGIN_ROUTER');

  const origin: Isolate["origin"] = (fleet, background) =>
    env.ROUTER === "service" && binding !== undefined
      ? serviceOrigin(binding, background)
      : createOriginRouter({
          callerRegisters: true,
          state,
          poller,
          pools,
          fleet,
          transport,
          background,
          now,
          random: Math.random,
          wait: sleep,
        });

  const answerCache = (background: Background, jurisdiction: Jurisdiction): AnswerCache =>
    createAnswerCache({
      memory: remembered,
      madeMs,
      near,
      // KV is in every country.
      far: jurisdiction === "none" ? far : null,
      background,
      nowMs: now,
      timer: (ms, fire) => startTimer(fire, ms),
      onFault: (fault) => report("answer cache", fault),
    });
  const shadows = shadowTurns(metrics, now, startTimer);
  const depsWith = (admitting: LimitDesk, fleet: FleetIndex, background: Background): TurnDeps => ({
    fleet,
    admission: admitting.admission(background),
    origin: origin(fleet, background),
    cache: (jurisdiction) => answerCache(background, jurisdiction),
    semantic,
    background,
    calibration,
    answerLengths,
    cacheSalt: salts,
    pipe: () => new IdentityTransformStream(),
    now,
    mirror: fleet.hasShadow
      ? (copied) => shadows.mirror(copied, { origin: origin(fleet, background), calibration, background })
      : null,
  });

  return {
    env,
    identify: createIdentify({
      tenants,
      apiKeys: createKeyDirectory({ store, now, report }),
      hash,
      platform: platform.value,
      environment: env.ENVIRONMENT,
      now,
      report,
      secret: (name) => secretByName(env, name),
      fetchKeySet: keySetFetcher((url, init) => fetch(url, init)),
      keySetCache: keySetCache(caches.default),
    }),
    fleet: createFleetSource({
      variable: env.FLEET,
      store,
      bundled: env.ENVIRONMENT === "local" ? devFleet : null,
      now,
      report,
    }),
    tenants,
    firewall: edgeFirewall(env, store, now, report),
    signatureKeys: new SignatureKeys((name) => signingSecretByName(env, name)),
    nonces: nonceLedger(env.NONCE_LEDGER, env.ENVIRONMENT),
    callBucket,
    hash,
    screen: { onInjection: ({ span }) => metrics.count("injections", injectionLabels(span)) },
    log,
    metrics,
    archive,
    directRows: new DirectRows({ archive, now, sleep, report }),
    receipts: new ReceiptSigner(hash),
    report,
    witness: (fact) => writeLines(JSON.stringify(fact)),
    credentialStanding: (subject, maxAgeMs, background) => limits.standingOf(subject, maxAgeMs, background),
    now,
    transport,
    pools:
      env.ROUTER === "service" && binding !== undefined
        ? servicePools(binding)
        : poolControl(env.ORIGIN_POOL),
    origin,
    admission: (background) => limits.admission(background),
    turnDeps: (fleet, background) => depsWith(limits, fleet, background),
    // A new desk each time: in workerd an object can't await a promise that another one made.
    durableTurnDeps: (fleet, background) => depsWith(desk(false), fleet, background),
  };
}

/** HMAC of the tenant, so that the timing of a prefix cache tells one tenant nothing of another. Known after the first turn. */
function createCacheSalts(hash: KeyedHash): (tenant: string) => string | Promise<string> {
  const known = new Map<string, string>();
  return (tenant) => {
    const salt = known.get(tenant);
    if (salt !== undefined) return salt;
    return hash.of("cache-salt/1", tenant).then((bytes) => {
      const made = base32(bytes, 26);
      if (known.size >= 10_000) known.clear();
      known.set(tenant, made);
      return made;
    });
  };
}

import { existsSync } from "node:fs";
import { join } from "node:path";
import { nuid } from "@nats-io/nuid";
import { PROTOCOL_VERSION, type StatusView } from "../shared/control.ts";
import { AppError, describe } from "../shared/errors.ts";
import { DATA_FILES, type Settings } from "../shared/settings.ts";
import { createNames, type Names } from "../shared/subjects.ts";
import type { Clock } from "../shared/time.ts";
import type { AuditStore } from "./audit/audit-store.ts";
import { startAudit } from "./audit/start-audit.ts";
import { startBroker } from "./broker.ts";
import { adminHandlers } from "./control/admin-handlers.ts";
import { auditViolation } from "./control/audit-violations.ts";
import { createControl } from "./control/call.ts";
import { createCatchUp } from "./control/catch-up.ts";
import { eventHandlers } from "./control/event-handlers.ts";
import { serveControl } from "./control/serve.ts";
import { taskHandlers } from "./control/task-handlers.ts";
import { type ViewHandlersDeps, viewHandlers } from "./control/view-handlers.ts";
import { createHub } from "./dashboard/hub.ts";
import { type Dashboard, startDashboard } from "./dashboard/start-dashboard.ts";
import { createEnqueuedTeller } from "./enqueued-news.ts";
import { startEventLoopGauge } from "./event-loop-gauge.ts";
import { followEvents } from "./events/follow-events.ts";
import { startLeaseFile } from "./lifecycle/lease-file.ts";
import { lockDataDir } from "./lifecycle/lock.ts";
import { createServiceStack } from "./lifecycle/service.ts";
import { openLogFile } from "./log.ts";
import { startSampler } from "./metrics/sampler.ts";
import { createGroup } from "./nats/group.ts";
import { createStreamReader } from "./nats/read-stream.ts";
import { countLanes, createTaskConsumers, ensureStreams, streamState } from "./nats/streams.ts";
import { createWire, type Wire } from "./nats/wire.ts";
import { nodeEnv } from "./node-process.ts";
import { COMPLETED_PATTERN, onPhaseCompleted, type RunsDeps } from "./pipelines/runs.ts";
import { type DueClock, startDueClock } from "./queue/due.ts";
import type { EnqueueDeps } from "./queue/enqueue.ts";
import { createJournal } from "./queue/journal.ts";
import type { MoveDeps } from "./queue/move.ts";
import { createRegistry, DECLARED } from "./queue/registry.ts";
import { loadSettings } from "./settings.ts";
import { createTaskFacts } from "./task-facts.ts";
import { startUpkeep } from "./upkeep.ts";
import { VERSION } from "./version.ts";
import { type Pools, startPools } from "./worker/pools.ts";
import { ALL_WORKERS, type Order } from "./worker/protocol.ts";
import { startWorkerDesk, type WorkerDesk } from "./worker-desk.ts";

export interface DaemonOptions {
  readonly dataDir: string;
  readonly workspace: string;
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly osUser: string;
  readonly clock: Clock;
}

export interface Daemon {
  /** Begins the stop; its end is `ended`. */
  stop(reason: string): void;
  /** Resolves when everything is stopped: true when all parts ended in order. */
  readonly ended: Promise<boolean>;
}

/** Time that each part may take to stop, milliseconds; workers have their drain besides. */
const BUDGET_MS = { short: 1000, drain: 3500, audit: 5000, broker: 8000 } as const;

/** The composition root: starts every part in order; resolves when the daemon is ready. Throws what kept it from starting. */
export async function runDaemon(options: DaemonOptions): Promise<Daemon> {
  const { dataDir, clock } = options;
  const lock = lockDataDir(dataDir);
  const loaded = await loadOrRelease(options, lock.release);
  const { settings } = loaded;
  const logFile = await openLogFile({
    dir: join(dataDir, DATA_FILES.logs),
    level: settings.logLevel,
  });
  const { log } = logFile;
  for (const warning of loaded.warnings) log.warn("setting looks misspelt", { warning });
  const { configError } = loaded;
  if (configError !== null) log.error("config not loaded", { error: configError.message });
  const stack = createServiceStack({ log, clock });
  const startedAt = new Date(clock.now()).toISOString();
  let phase: StatusView["daemon"]["state"] = "starting";
  let finished: (clean: boolean) => void = () => {};
  const ended = new Promise<boolean>((resolve) => {
    finished = resolve;
  });

  const stop = (reason: string): void => {
    if (phase === "stopping") return;
    phase = "stopping";
    log.info("daemon stopping", { reason });
    void stack.stop(reason).then((outcomes) => {
      const clean = outcomes.every((outcome) => outcome.end === "stopped");
      log.info("daemon stopped", { clean });
      logFile.close();
      lock.release();
      finished(clean);
    });
  };

  try {
    await stack.start(async (add) => {
      const names = createNames(settings.nats.prefix);
      const broker = await add("broker", BUDGET_MS.broker, () =>
        startBroker({ dataDir, settings, names, osUser: options.osUser, clock, log }),
      );
      const lease = await add("lease", BUDGET_MS.short, () =>
        startLeaseFile(
          { dataDir, clock, log },
          {
            pid: process.pid,
            version: VERSION,
            protocol: PROTOCOL_VERSION,
            natsUrl: broker.url,
            ...(settings.nats.tlsCert === undefined ? {} : { tlsCert: settings.nats.tlsCert }),
            prefix: names.prefix,
            startedAt,
            state: "starting",
          },
        ),
      );
      const inbox = `${broker.inboxPrefix}.${nuid.next()}`;
      const { link } = await add("connection", BUDGET_MS.drain, async () => {
        const link = await broker.connect("daemon");
        return { link, stop: () => link.drain() };
      });
      const wire = createWire(link.nc, { inbox: `${inbox}.r` });
      await ensureStreams(wire, names, settings);
      const news = await add("enqueued-news", BUDGET_MS.short, () =>
        createEnqueuedTeller((told) => {
          if (!link.nc.isClosed()) link.nc.publish(names.enqueued, JSON.stringify(told));
        }),
      );
      const audit = await add("audit", BUDGET_MS.audit, () =>
        startAudit({
          dataDir,
          nats: {
            servers: broker.url,
            seed: new TextDecoder().decode(broker.seed),
            inboxPrefix: broker.inboxPrefix,
            ...(settings.nats.tlsCert === undefined
              ? {}
              : { pinnedCertFile: settings.nats.tlsCert }),
          },
          prefix: names.prefix,
          log: log.child({ service: "audit" }),
          onEnqueued: news.told,
        }),
      );
      for (const user of broker.users.list())
        await audit
          .putUser(user)
          .catch((error: unknown) => log.warn("user not mirrored", { error: describe(error) }));
      let desk: WorkerDesk | null = null;
      const parts = buildParts({
        askHolders: async (taskId, queue) => desk?.askHolders(taskId, queue),
        wire,
        names,
        settings,
        audit,
        dataDir,
        clock,
        inbox,
        log: (event, data) => log.warn(event, data),
      });
      const registry = createRegistry({ dataDir, log });
      const enqueue: EnqueueDeps = {
        wire,
        names,
        journal: parts.move.journal,
        audit,
        registry,
        consumers: parts.consumers,
        group: settings.nats.durability === "strict" ? createGroup(wire) : null,
        now: clock.now,
        storageFailure: broker.storageFailure,
      };
      broker.onStorageFailure(() => wire.abandonPublishes("the broker cannot store it"));
      const runs: RunsDeps = {
        enqueue,
        log,
        settings,
      };
      const facts = await add("task-facts", BUDGET_MS.short, () =>
        createTaskFacts({ nc: link.nc, names, audit, now: clock.now }),
      );
      desk = await add("worker-desk", BUDGET_MS.short, () =>
        startWorkerDesk({
          link,
          names,
          settings,
          registry,
          audit,
          move: parts.move,
          wire,
          clock,
          log,
          watchDisconnects: broker.watchDisconnects,
        }),
      );
      const { leases } = desk;
      const due: DueClock = await add("due-clock", BUDGET_MS.short, () =>
        startDueClock({ ...parts.move, inbox }),
      );
      await add("pipelines", BUDGET_MS.short, () =>
        followEvents({
          wire,
          names,
          durable: "pipelines",
          filter: COMPLETED_PATTERN,
          inbox,
          log,
          handle: async (_subject, data) => void (await onPhaseCompleted(runs, data)),
        }),
      );
      const upkeep = await add("upkeep", BUDGET_MS.short, () =>
        startUpkeep({
          move: parts.move,
          audit,
          wire,
          names,
          settings,
          leases: leases,
          clock,
          log,
        }),
      );
      const gauge = await add("event-loop-gauge", BUDGET_MS.short, startEventLoopGauge);
      const metrics = await add("metrics", BUDGET_MS.short, () =>
        startSampler({ countLanes: () => countLanes(wire, names), audit, now: clock.now, log }),
      );
      const view: ViewHandlersDeps = {
        move: parts.move,
        wire,
        names,
        audit,
        registry,
        leases: leases,
        catchUp: createCatchUp({
          audit,
          lastSeq: async () => (await streamState(wire, names.stream.state)).lastSeq,
        }),
        progressOf: facts.progressOf,
        metrics: metrics.read,
      };
      let pools: Pools | null = null;
      let dashboard: Dashboard | null = null;
      const control = createControl({
        audit,
        handlers: {
          ...viewHandlers(view),
          ...eventHandlers({ nc: link.nc, names, readPage: createStreamReader(link.nc, inbox) }),
          ...taskHandlers({
            move: parts.move,
            enqueue,
            runs,
            audit,
            catchUp: view.catchUp,
            due: () => due,
          }),
          ...adminHandlers({
            view,
            audit,
            users: broker.users,
            loaded,
            leases: leases,
            pools: () => pools,
            gauge,
            now: clock.now,
            daemon: { version: VERSION, dataDir, startedAt },
            nats: broker.describe,
            state: () => phase,
            degraded: () => [
              ...(configError === null ? [] : [`config: ${configError.message}`]),
              ...broker.troubles(),
            ],
            reconcile: upkeep.reconcileNow,
            shutdown: (by) => setImmediate(() => stop(`asked by ${by}`)),
            dashboard: () => dashboard,
          }),
        },
        terminal: (ids) => parts.reader().terminal(ids),
        knownElsewhere: (name) => leases.knows(name) || registry.get(name)?.source === DECLARED,
        roleOf: (user) => broker.users.get(user)?.role ?? null,
        storageFailure: broker.storageFailure,
        now: clock.now,
        log,
      });
      await add("control", BUDGET_MS.drain, () => serveControl({ nc: link.nc, names, control }));
      const hub = await add("dashboard-hub", BUDGET_MS.short, () =>
        createHub({ link, url: broker.url, names, now: clock.now, log }),
      );
      dashboard = await add("dashboard", BUDGET_MS.short, () =>
        startDashboard({
          settings: settings.dashboard,
          dataDir,
          control,
          hub,
          audit,
          userOf: broker.users.get,
          now: clock.now,
          log,
        }),
      );
      await add("violations", BUDGET_MS.short, () =>
        broker.followViolations((violation) =>
          auditViolation({ audit, names, now: clock.now, users: broker.users.list }, violation),
        ),
      );
      pools = await add("workers", settings.workers.drainMs + BUDGET_MS.drain, async () =>
        startPools({
          settings,
          dataDir,
          logsDir: join(dataDir, DATA_FILES.logs),
          servers: broker.url,
          seedFile: broker.workerSeedFile,
          configFile: configFileOf(settings, options.workspace),
          clock,
          log,
          nodeEnv: await nodeEnv(),
          onExit: (pid, why) => leases.exited(pid, why),
        }),
      );
      phase = "ready";
      await lease.update({ state: "ready" });
      audit.note({
        at: clock.now(),
        kind: "daemon-started",
        by: "msgsys",
        taskId: null,
        detail: { version: VERSION, pid: process.pid },
      });
      log.info("daemon ready", { natsUrl: broker.url, dataDir });
    });
  } catch (error) {
    log.error("daemon not started", { error: describe(error) });
    logFile.close();
    lock.release();
    throw error;
  }
  return { stop, ended };
}

async function loadOrRelease(
  options: DaemonOptions,
  release: () => void,
): ReturnType<typeof loadSettings> {
  try {
    return await loadSettings({ cwd: options.workspace, env: options.env, flags: options.flags });
  } catch (error) {
    release();
    throw error;
  }
}

interface PartsDeps {
  readonly wire: Wire;
  readonly names: Names;
  readonly settings: Settings;
  readonly audit: AuditStore;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly inbox: string;
  log(event: string, data: Record<string, unknown>): void;
  askHolders: MoveDeps["askHolders"];
}

function buildParts(deps: PartsDeps): {
  move: MoveDeps;
  consumers: MoveDeps["consumers"];
  reader: MoveDeps["reader"];
} {
  const { wire, names, audit } = deps;
  const consumers = createTaskConsumers({
    wire,
    names,
    ackWaitMs: deps.settings.lease.ackWaitMs,
    created(queue, level) {
      const news: Order = { kind: "lane", queue, level };
      wire.nc.publish(names.order(ALL_WORKERS), JSON.stringify(news));
    },
  });
  const reader = audit.reader();
  const move: MoveDeps = {
    wire,
    names,
    journal: createJournal({ wire, names }),
    consumers,
    reader: () => reader,
    now: deps.clock.now,
    log: deps.log,
    askHolders: deps.askHolders,
    overtaken: (change) =>
      audit.priorityChanged({
        taskId: change.taskId,
        at: change.t,
        by: change.by ?? "",
        role: change.role ?? "system",
        from: change.from ?? change.l,
        to: change.l,
        action: (change.act ?? "raise") as Parameters<AuditStore["priorityChanged"]>[0]["action"],
        reason: change.why ?? null,
      }),
  };
  return { move, consumers, reader: move.reader };
}

const CONFIG_FILE = "msgsys.config.ts";

/** The workspace's own tasks: the file that the settings name, else `msgsys.config.ts` when it is there. */
function configFileOf(settings: Settings, workspace: string): string | null {
  const named = settings.workers.config;
  if (named !== undefined) {
    if (!existsSync(named))
      throw new AppError("bad-settings", {
        what: `The file ${named} is not there.`,
        where: "workers.config",
      });
    return named;
  }
  const usual = join(workspace, CONFIG_FILE);
  return existsSync(usual) ? usual : null;
}

import {
  type DashboardView,
  PROTOCOL_VERSION,
  type ResponseOf,
  type StatusView,
  type UserView,
  type WorkerView,
} from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import { TASK_STATUSES, type TaskStatus } from "../../shared/task.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { EventLoopGauge } from "../event-loop-gauge.ts";
import type { LeaseWatch } from "../queue/leases.ts";
import { DECLARED } from "../queue/registry.ts";
import { describeSettings, type LoadedSettings } from "../settings.ts";
import type { UserRecord } from "../user-rules.ts";
import type { Users } from "../users.ts";
import type { Pools } from "../worker/pools.ts";
import type { Call, Handlers } from "./call.ts";
import { queueViews, type ViewHandlersDeps, whenReadable } from "./view-handlers.ts";

export interface AdminHandlersDeps {
  readonly view: ViewHandlersDeps;
  readonly audit: AuditStore;
  readonly users: Users;
  readonly loaded: LoadedSettings;
  readonly leases: LeaseWatch;
  readonly pools: () => Pools | null;
  readonly gauge: EventLoopGauge;
  readonly now: () => number;
  readonly daemon: {
    readonly version: string;
    readonly dataDir: string;
    readonly startedAt: string;
  };
  nats(): Promise<StatusView["nats"]>;
  state(): StatusView["daemon"]["state"];
  degraded(): readonly string[];
  reconcile(): Promise<{ checked: number; repaired: number }>;
  shutdown(by: string): void;
  /** Null until it was started. */
  dashboard(): {
    view(): DashboardView;
    link(user: string): ResponseOf["dashboard_link"];
    /** People were added, changed or removed. */
    usersChanged(): void;
  } | null;
}

/** The control API is there a moment before the dashboard. */
const STARTING = "it is being started";

type AdminVerbs =
  | "status"
  | "config"
  | "whoami"
  | "dashboard_link"
  | "user_list"
  | "user_add"
  | "user_role"
  | "user_rotate"
  | "user_remove"
  | "backup"
  | "reconcile"
  | "shutdown"
  | "declare";

/** The verbs around the system itself. */
export function adminHandlers(deps: AdminHandlersDeps): Pick<Handlers, AdminVerbs> {
  const { audit, users } = deps;
  /** A change of users is an act that the audit keeps, with who did it. */
  const changed = async (call: Call, kind: string, user: UserRecord): Promise<UserView> => {
    audit.note({
      at: deps.now(),
      kind,
      by: call.caller.user,
      taskId: null,
      detail: { user: user.name, role: user.role },
    });
    deps.dashboard()?.usersChanged();
    await audit.putUser(user);
    return user;
  };
  return {
    status: () => status(deps),
    config: () => ({ settings: describeSettings(deps.loaded) }),
    whoami: (_request, call) => ({ user: call.caller.user, role: call.caller.role }),
    dashboard_link(_request, call) {
      const dashboard = deps.dashboard();
      if (dashboard === null) throw new AppError("dashboard-off", { what: STARTING });
      return dashboard.link(call.caller.user);
    },
    user_list: () => ({ users: users.list() }),
    user_add: async (request, call) => changed(call, "user-added", await users.add(request)),
    user_role: async (request, call) =>
      changed(call, "user-role-changed", await users.setRole(request.name, request.role)),
    user_rotate: async (request, call) =>
      changed(call, "user-key-rotated", await users.rotate(request.name, request.publicKey)),
    async user_remove(request, call) {
      const former = await users.remove(request.name);
      audit.note({
        at: deps.now(),
        kind: "user-removed",
        by: call.caller.user,
        taskId: null,
        detail: { user: former.name, role: former.role },
      });
      deps.dashboard()?.usersChanged();
      await audit.removeUser(request.name);
      return { name: request.name };
    },
    async backup(request, call) {
      const { bytes } = await audit.backup(request.path);
      audit.note({
        at: deps.now(),
        kind: "backup-written",
        by: call.caller.user,
        taskId: null,
        detail: { path: request.path, bytes },
      });
      return { path: request.path, bytes };
    },
    reconcile: () => deps.reconcile(),
    shutdown(_request, call) {
      if (deps.state() === "stopping")
        throw new AppError("task-not-in-state", {
          id: "daemon",
          status: "stopping",
          act: "shutdown",
          needs: "a running daemon",
        });
      deps.shutdown(call.caller.user);
      return { stopping: true };
    },
    declare(request) {
      deps.view.registry.put(
        request.definitions.map((definition) => ({
          name: definition.name,
          queue: definition.queue,
          priority: definition.priority,
          maxAttempts: definition.maxAttempts,
          timeoutMs: definition.timeoutMs ?? null,
          category: definition.category ?? null,
          phase: definition.phase ?? null,
          inputSchema: definition.inputSchema ?? null,
          source: DECLARED,
        })),
      );
      return { declared: request.definitions.length };
    },
  };
}

/** Of an audit that cannot be read; that it cannot is told beside. */
const NO_COUNTS = Object.fromEntries(TASK_STATUSES.map((status) => [status, 0])) as Record<
  TaskStatus,
  number
>;

/** What several workers suffer from is one trouble; what the daemon met too has been told. */
function workerTroubles(workers: readonly WorkerView[], told: readonly string[]): string[] {
  const pools = new Map<string, Set<string>>();
  for (const { error, state, pool } of workers) {
    if (error === null || state === "gone" || told.some((text) => text.endsWith(`: ${error}`)))
      continue;
    pools.set(error, (pools.get(error) ?? new Set()).add(pool));
  }
  return [...pools].map(([error, names]) => `worker ${[...names].join(", ")}: ${error}`);
}

async function status(deps: AdminHandlersDeps): Promise<StatusView> {
  const { audit, daemon } = deps;
  const degraded = [...deps.degraded()];
  if (audit.state.kind === "unavailable") degraded.push(`audit-store: ${audit.state.cause}`);
  const workers = [...deps.leases.views(), ...(deps.pools()?.missing() ?? [])];
  degraded.push(...workerTroubles(workers, degraded));
  const state = deps.state();
  return {
    daemon: {
      pid: process.pid,
      version: daemon.version,
      protocol: PROTOCOL_VERSION,
      dataDir: daemon.dataDir,
      startedAt: daemon.startedAt,
      state: state === "ready" && degraded.length > 0 ? "degraded" : state,
      degraded,
      eventLoopDelayMs: deps.gauge.read(),
      memoryMb: Math.round(process.memoryUsage.rss() / 1_048_576),
    },
    nats: await deps.nats(),
    workers,
    queues: await queueViews(deps.view),
    audit: {
      file: audit.file,
      state: audit.state.kind,
      lagRecords: audit.lagRecords,
      cause: audit.state.kind === "unavailable" ? audit.state.cause : null,
    },
    counts: whenReadable(() => deps.view.move.reader().counts(), NO_COUNTS),
    dashboard: deps.dashboard()?.view() ?? { url: null, why: STARTING },
  };
}

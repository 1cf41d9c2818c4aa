import type { RunView } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import { leastRoleFor, roleAtLeast } from "../../shared/roles.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import { type RunsDeps, startRun } from "../pipelines/runs.ts";
import { cancel } from "../queue/cancel.ts";
import type { DueClock } from "../queue/due.ts";
import { type EnqueueDeps, enqueue } from "../queue/enqueue.ts";
import { escalate } from "../queue/escalate.ts";
import { type Actor, locate, type MoveDeps } from "../queue/move.ts";
import { redrive } from "../queue/redrive.ts";
import type { Caller } from "./authorize.ts";
import { actOnEach, idsOf, type Target } from "./bulk.ts";
import type { Call, Handlers } from "./call.ts";
import { cancelRun } from "./cancel-run.ts";
import type { CatchUp } from "./catch-up.ts";

export interface TaskHandlersDeps {
  readonly move: MoveDeps;
  readonly enqueue: EnqueueDeps;
  readonly runs: RunsDeps;
  readonly audit: AuditStore;
  readonly catchUp: CatchUp;
  readonly due: () => DueClock;
}

type TaskVerbs =
  | "enqueue"
  | "run"
  | "escalate"
  | "undo"
  | "retry"
  | "redrive"
  | "cancel"
  | "cancel_run";

function actorOf(caller: Caller): Actor {
  return { by: caller.user, role: caller.internal ? "system" : caller.role };
}

/** The verbs that change tasks. */
export function taskHandlers(deps: TaskHandlersDeps): Pick<Handlers, TaskVerbs> {
  const { move, audit } = deps;
  const reader = (): ReturnType<MoveDeps["reader"]> => move.reader();

  /** A filter is answered by the audit: it must know what was done before. */
  const matching = async (target: Target): Promise<readonly string[]> => {
    if ("where" in target) await deps.catchUp.all();
    return idsOf(audit, target);
  };

  const cancelOne = async (id: string, why: string | null, caller: Caller): Promise<void> => {
    refuseForeign(deps, id, caller);
    const outcome = await cancel(move, id, why, actorOf(caller));
    if (outcome === "ended") {
      const status = reader().task(id)?.status ?? "completed";
      throw new AppError("task-not-in-state", {
        id,
        status,
        act: "cancel",
        needs: "a task that has not ended",
      });
    }
  };

  return {
    async enqueue(request, call) {
      return {
        outcomes: await enqueue(
          deps.enqueue,
          request.items,
          call.caller.user,
          call.maxLevel,
          request.first,
        ),
      };
    },
    run(request, call) {
      const { phases, priority, runId } = request;
      return startRun(
        deps.runs,
        {
          pipeline: request.pipeline,
          params: request.params,
          ...(phases === undefined ? {} : { phases }),
          ...(priority === undefined ? {} : { priority }),
          ...(runId === undefined ? {} : { runId }),
        },
        call.caller.user,
        call.maxLevel,
      );
    },
    async escalate(request, call) {
      const change = { to: request.to, reason: request.reason, maxLevel: call.maxLevel };
      const waiting =
        "where" in request
          ? {
              where: {
                status: ["waiting" as const, "scheduled" as const, "retrying" as const],
                ...request.where,
              },
            }
          : request;
      return actOnEach(await matching(waiting), request.dryRun, (id) =>
        escalate(move, id, change, actorOf(call.caller)),
      );
    },
    async undo(request, call) {
      await historyIsComplete(deps, request.id);
      const last = reader()
        .priorityHistory(request.id)
        .filter((change) => change.action !== "undo")
        .at(-1);
      if (last === undefined) throw new AppError("nothing-to-undo", { id: request.id });
      const change = {
        to: last.from,
        reason: request.reason,
        maxLevel: call.maxLevel,
        action: "undo" as const,
      };
      return actOnEach([request.id], false, (id) =>
        escalate(move, id, change, actorOf(call.caller)),
      );
    },
    retry(request, call) {
      return actOnEach([request.id], false, (id) =>
        retryOne(deps, id, request.reason ?? null, call),
      );
    },
    async redrive(request, call) {
      const dead =
        "where" in request ? { where: { ...request.where, status: ["dead" as const] } } : request;
      const order = {
        reason: request.reason ?? null,
        maxLevel: call.maxLevel,
        act: "redrive" as const,
        ...(request.input === undefined ? {} : { input: request.input }),
        ...(request.priority === undefined ? {} : { level: request.priority }),
      };
      return actOnEach(await matching(dead), request.dryRun, async (id) => {
        checkEditedInput(deps, id, request.input);
        return redrive(move, id, order, actorOf(call.caller));
      });
    },
    async cancel(request, call) {
      const living =
        "where" in request
          ? {
              where: {
                status: [
                  "waiting" as const,
                  "scheduled" as const,
                  "retrying" as const,
                  "running" as const,
                ],
                ...request.where,
              },
            }
          : request;
      return actOnEach(await matching(living), request.dryRun, (id) =>
        cancelOne(id, request.reason ?? null, call.caller),
      );
    },
    async cancel_run(request, call) {
      const look = (): RunView => {
        const run = reader().run(request.id);
        if (run === null) throw new AppError("run-not-found", { id: request.id });
        return run;
      };
      refuseForeignRun(look().by, call.caller);
      audit.note({
        at: move.now(),
        kind: "run-cancelled",
        by: call.caller.user,
        taskId: null,
        detail: { runId: request.id, reason: request.reason ?? null },
      });
      const cancelTask = (id: string) => cancelOne(id, request.reason ?? null, call.caller);
      return cancelRun({ look, cancelTask });
    },
  };
}

/** The change to take back may be so new that the audit is still reading of it. Throws `audit-store-unavailable`. */
async function historyIsComplete(deps: TaskHandlersDeps, id: string): Promise<void> {
  const task = await locate(deps.move, id);
  if (task === null) throw new AppError("task-not-found", { id });
  if (task.entry !== null) await deps.audit.written(task.entry.seq);
}

/** An Operator may cancel tasks of their own; anybody's needs `cancel_tasks`. */
function refuseForeign(deps: TaskHandlersDeps, id: string, caller: Caller): void {
  if (mayCancelAny(caller)) return;
  const owner = deps.move.reader().task(id)?.by;
  if (owner !== caller.user) throw foreign(caller, "cancel the tasks of others");
}

/** The same for a run: refused as a whole, so that nothing notes as cancelled what goes on. */
function refuseForeignRun(owner: string, caller: Caller): void {
  if (!mayCancelAny(caller) && owner !== caller.user)
    throw foreign(caller, "cancel the runs of others");
}

function mayCancelAny({ internal, role }: Caller): boolean {
  return internal || roleAtLeast(role, leastRoleFor("cancel_tasks"));
}

function foreign({ user, role }: Caller, act: string): AppError {
  return new AppError("not-permitted", { user, role, act, needs: leastRoleFor("cancel_tasks") });
}

function checkEditedInput(deps: TaskHandlersDeps, id: string, input: string | undefined): void {
  if (input === undefined) return;
  const name = deps.move.reader().task(id)?.name;
  if (name !== undefined) deps.enqueue.registry.get(name)?.check(input);
}

/** Runs a task again or earlier: dead and cancelled ones get a fresh budget, delayed ones become due now. */
async function retryOne(
  deps: TaskHandlersDeps,
  id: string,
  reason: string | null,
  call: Call,
): Promise<void> {
  const task = await locate(deps.move, id);
  if (task === null) throw new AppError("task-not-found", { id });
  const status = task.entry?.record.s ?? task.row?.status ?? "waiting";
  const level = task.entry?.record.l ?? task.row?.level ?? 0;
  if (level > call.maxLevel) {
    throw new AppError("not-permitted", {
      user: call.caller.user,
      role: call.caller.role,
      act: `retry at level ${level}`,
      needs: level >= 10 ? "Admin" : "Manager",
      level,
    });
  }
  if (status === "dead" || status === "cancelled") {
    await redrive(
      deps.move,
      id,
      { reason, maxLevel: call.maxLevel, act: "retry" },
      actorOf(call.caller),
    );
    return;
  }
  const { entry } = task;
  if ((status === "scheduled" || status === "retrying") && entry !== null) {
    const record = {
      ...entry.record,
      due: deps.move.now(),
      t: deps.move.now(),
      by: call.caller.user,
      role: actorOf(call.caller).role,
      act: "retry" as const,
      ...(reason === null ? {} : { why: reason }),
    };
    await deps.move.journal.append(task.queue, id, record, entry.seq);
    deps.due().fireNow(id);
    return;
  }
  throw new AppError("task-not-in-state", {
    id,
    status,
    act: "retry",
    needs: "a dead, cancelled, retrying or scheduled task",
  });
}

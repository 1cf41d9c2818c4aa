import type { StatusView } from "../../shared/control.ts";
import type { WorkSummary } from "../app-context.ts";
import type { QueueLimits } from "./queue-model.ts";

/** What the status bar shows. `backlogSince` is when the same backlog was first seen; epoch ms. */
export function summarize(
  { counts, queues }: Pick<StatusView, "counts" | "queues">,
  dead: { readonly unseen: number; readonly causes: readonly string[] },
  limits: Pick<QueueLimits, "oldestWaitMs" | "backlog">,
  before: WorkSummary | null,
  now: number,
): WorkSummary {
  const late = queues.find(
    ({ waiting, oldestWaitMs }) =>
      waiting > limits.backlog || (waiting > 0 && (oldestWaitMs ?? 0) > limits.oldestWaitMs),
  );
  const since = before?.backlog?.where === late?.queue ? before?.backlog?.since : undefined;
  return {
    waiting: counts.waiting + counts.retrying,
    running: counts.running,
    deadUnseen: dead.unseen,
    deadCauses: dead.causes,
    backlog: late === undefined ? null : { where: late.queue, since: since ?? now },
  };
}

import type { WhyView, WorkerView } from "../../shared/control.ts";
import { LEVEL_NAMES } from "../../shared/priority.ts";
import type { TaskStatus } from "../../shared/task.ts";
import { formatDuration } from "../../shared/time.ts";

/** What is known of a task that does not run. */
export interface WhyFacts {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly level: number;
  readonly status: TaskStatus;
  readonly dueInMs: number | null;
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly lastError: string | null;
  readonly deadReason: string | null;
  /** Workers that serve the queue. */
  readonly workers: readonly WorkerView[];
  /** Whether any of them knows the task's name. */
  readonly nameKnown: boolean;
  /** Waiting tasks that start before it. */
  readonly ahead: number;
  readonly aheadHigher: number;
  /** Tasks of the queues of its pool that ended in the last minute. */
  readonly endedPerMinute: number;
  readonly worker: string | null;
}

/** One sentence that says why a task is not running, with its position and a guess of when it starts. */
export function explain(facts: WhyFacts): WhyView {
  const plain = (sentence: string): WhyView => ({
    id: facts.id,
    status: facts.status,
    sentence,
    position: null,
    etaMs: null,
  });
  switch (facts.status) {
    case "running":
      return plain(
        `It is running (attempt ${facts.attempts} of ${facts.maxAttempts}) on worker ${facts.worker ?? "?"}.`,
      );
    case "completed":
      return plain("It has completed.");
    case "cancelled":
      return plain("It was cancelled.");
    case "dead":
      return plain(
        `It is dead (${facts.deadReason ?? "unknown reason"})${facts.lastError ? `: ${facts.lastError}` : "."} A redrive runs it again.`,
      );
    case "scheduled":
      return {
        ...plain(`It is scheduled to start in ${formatDuration(Math.max(0, facts.dueInMs ?? 0))}.`),
        etaMs: facts.dueInMs,
      };
    case "retrying":
      return {
        ...plain(
          `Attempt ${facts.attempts} of ${facts.maxAttempts} failed${facts.lastError ? ` (${facts.lastError})` : ""}; the next one starts in ${formatDuration(Math.max(0, facts.dueInMs ?? 0))}.`,
        ),
        etaMs: facts.dueInMs,
      };
    case "waiting":
      return explainWaiting(facts);
    default:
      return facts.status satisfies never;
  }
}

function explainWaiting(facts: WhyFacts): WhyView {
  const { id, status, queue, ahead } = facts;
  const base = { id, status, position: ahead, etaMs: null };
  const live = facts.workers.filter((worker) => worker.state === "ready");
  if (live.length === 0)
    return {
      ...base,
      sentence: `No worker serves the queue ${queue}: start one with \`msgsys worker --queues ${queue}\`.`,
    };
  if (!facts.nameKnown)
    return {
      ...base,
      sentence: `No worker of the queue ${queue} knows the task ${facts.name}: start one in the workspace that defines it.`,
    };
  const slots = live.reduce((sum, worker) => sum + worker.slots, 0);
  const busy = live.reduce((sum, worker) => sum + worker.running, 0);
  const etaMs =
    facts.endedPerMinute > 0 ? Math.round((ahead / facts.endedPerMinute) * 60_000) : null;
  if (ahead === 0 && busy < slots)
    return { ...base, etaMs: 0, sentence: "It is next and a slot is free: it starts now." };
  const level = `${LEVEL_NAMES[facts.level]} (${facts.level})`;
  const behind =
    ahead === 0
      ? `It is next at ${level}`
      : `It waits behind ${ahead} tasks${facts.aheadHigher > 0 ? ` (${facts.aheadHigher} of a higher level)` : ""} at ${level}`;
  const slotWords =
    busy >= slots ? `all ${slots} slots are busy` : `${busy} of ${slots} slots are busy`;
  const guess =
    etaMs === null ? "" : `; at the present rate it starts in about ${formatDuration(etaMs)}`;
  return { ...base, etaMs, sentence: `${behind}; ${slotWords}${guess}.` };
}

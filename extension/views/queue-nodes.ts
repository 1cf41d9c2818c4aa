import type { AttemptView, TaskDetail } from "../../shared/control.ts";
import { type Bucket, DEFAULT_LEVEL } from "../../shared/priority.ts";
import { formatDuration } from "../../shared/time.ts";
import type { Say } from "../../shared/view/rows.ts";
import type { Identity } from "../app-context.ts";
import type { BucketModel, LaneModel, QueueModel, TaskModel } from "../state/queue-model.ts";
import { taskCapabilities } from "./capabilities.ts";
import { line } from "./foreign.ts";
import type { NodeView } from "./node.ts";
import { statusIcon, statusWord } from "./status-looks.ts";
import { age, count, lasting, levelWords, percent, shortId, until, type Words } from "./words.ts";

export interface NodeContext extends Words {
  readonly identity: Identity | null;
}

/** Buckets, their tasks and what is more; then the lanes that need a person. Nothing when nothing is queued. */
export function queueNodes(model: QueueModel, context: NodeContext): readonly NodeView[] {
  const isEmpty =
    model.lanes.length === 0 && model.buckets.every(({ tasks, more }) => !tasks.length && !more);
  if (isEmpty) return [];
  const buckets = model.buckets.map((bucket) => bucketNode(bucket, model, context));
  return model.lanes.length === 0 ? buckets : [...buckets, lanesNode(model.lanes, context)];
}

const BUCKET_ICONS: Readonly<Record<Bucket, string>> = {
  high: "arrow-up",
  normal: "dash",
  low: "arrow-down",
};

function bucketWord(bucket: Bucket, say: Say): string {
  switch (bucket) {
    case "high":
      return say("High");
    case "normal":
      return say("Normal");
    case "low":
      return say("Low");
    default:
      return bucket satisfies never;
  }
}

function bucketNode(bucket: BucketModel, model: QueueModel, context: NodeContext): NodeView {
  const { say, locale } = context;
  const { waiting, running, tasks, more } = bucket;
  const word = bucketWord(bucket.bucket, say);
  const numbers = { waiting: count(waiting, locale), running: count(running, locale) };
  const description = bucketCounts(bucket, context);
  const children = tasks.map((task) => taskNode(task, model.moved.get(task.id), context));
  if (more !== null) children.push(moreNode(bucket, more, context));
  return {
    key: `bucket:${bucket.bucket}`,
    target: { kind: "bucket", id: bucket.bucket },
    label: word,
    description,
    icon: { id: BUCKET_ICONS[bucket.bucket], color: null },
    contextValue: "bucket",
    accessibility: say("{bucket} bucket, {waiting} waiting, {running} running", {
      bucket: word,
      ...numbers,
    }),
    collapsible: bucket.bucket === "low" ? "collapsed" : "expanded",
    tooltip: null,
    command: null,
    children,
  };
}

/** `14 waiting · 2 running · 1 delayed`; what is none is left out, and all together are `0`. */
function bucketCounts({ waiting, running, tasks, more }: BucketModel, context: Words): string {
  const { say, locale } = context;
  const numbers = { waiting: count(waiting, locale), running: count(running, locale) };
  const delayed = tasks.filter(({ status }) => status === "retrying" || status === "scheduled");
  const n = `${count(delayed.length, locale)}${more?.others === true ? "+" : ""}`;
  const parts = [
    ...(waiting > 0 ? [say("{waiting} waiting", numbers)] : []),
    ...(running > 0 ? [say("{running} running", numbers)] : []),
    ...(delayed.length > 0 ? [say("{n} delayed", { n })] : []),
  ];
  return parts.length === 0 ? "0" : parts.join(" · ");
}

/** Opens the dashboard with the bucket's tasks: a tree of a hundred thousand helps nobody. */
function moreNode(
  { bucket }: BucketModel,
  more: NonNullable<BucketModel["more"]>,
  { say, locale }: Words,
): NodeView {
  const label = more.known > 0 ? say("{n} more…", { n: count(more.known, locale) }) : say("More…");
  return {
    key: `more:${bucket}`,
    target: { kind: "bucket", id: bucket },
    label,
    description: say("in the dashboard"),
    icon: { id: "ellipsis", color: null },
    contextValue: "",
    accessibility: say("{label} Opens the dashboard.", { label }),
    collapsible: "none",
    tooltip: null,
    command: {
      id: "msgSys.dashboard.open",
      title: say("Open Dashboard"),
      args: [{ screen: "queues", filter: `bucket:${bucket}` }],
    },
    children: [],
  };
}

export function taskNode(
  task: TaskModel,
  movedFrom: number | undefined,
  context: NodeContext,
): NodeView {
  const { say } = context;
  const words = taskCapabilities(task, context.identity, movedFrom);
  const state = stateWords(task, context);
  return {
    key: `task:${task.id}`,
    target: { kind: "task", id: task.id },
    label: line(task.name, 100),
    // The state first: a narrow side bar cuts off what stands last.
    description: `${state}  ${shortId(task.id)}`,
    icon: statusIcon(task.status),
    contextValue: words.join(" "),
    accessibility: say("{name}, {state}, {bucket} bucket", {
      name: line(task.name, 100),
      state: state.replaceAll(" · ", ", "),
      bucket: bucketWord(task.bucket, say),
    }),
    collapsible: task.attempts > 0 ? "collapsed" : "none",
    tooltip: null,
    command: null,
    children: task.attempts > 0 ? null : [],
  };
}

/** `Running 1m 04s · 61 % · attempt 2`, `Waiting 12 s · 9 Urgent`, `Retrying in 48 s · attempt 2`. */
export function stateWords(task: TaskModel, context: Words): string {
  const { say } = context;
  const parts = [timeWords(task, context)];
  if (task.progress !== null) parts.push(percent(task.progress) ?? "");
  // The bucket says enough of the usual level.
  if (task.priority !== DEFAULT_LEVEL) parts.push(levelWords(task.priority, say));
  if (task.attempts > 1 || task.status === "retrying")
    parts.push(say("attempt {n}", { n: task.attempts }));
  return parts.filter((part) => part !== "").join(" · ");
}

function timeWords(task: TaskModel, context: Words): string {
  const { say } = context;
  const { status, startedAt, dueAt, createdAt, durationMs } = task;
  const word = statusWord(status, say);
  switch (status) {
    case "running":
      return startedAt === null ? word : `${word} ${lasting(startedAt, context)}`;
    case "waiting":
      return `${word} ${age(createdAt, context)}`;
    case "retrying":
      return dueAt === null ? word : say("Retrying in {time}", { time: until(dueAt, context) });
    case "scheduled":
      return dueAt === null ? word : say("Starts in {time}", { time: until(dueAt, context) });
    case "completed":
    case "cancelled":
    case "dead":
      return durationMs === null ? word : `${word} · ${formatDuration(durationMs)}`;
    default:
      return status satisfies never;
  }
}

/** The attempts of a task, the last one first. */
export function attemptNodes(detail: TaskDetail, context: Words): readonly NodeView[] {
  return [...detail.attemptHistory]
    .reverse()
    .map((attempt) => attemptNode(detail, attempt, context));
}

function attemptNode(task: TaskDetail, attempt: AttemptView, context: Words): NodeView {
  const { say } = context;
  const { outcome, durationMs, startedAt, error } = attempt;
  const isRunning = outcome === "running";
  const took = isRunning
    ? startedAt === null
      ? ""
      : lasting(startedAt, context)
    : durationMs === null
      ? ""
      : formatDuration(durationMs);
  const word = outcomeWord(outcome, say);
  const why = error === null ? "" : line(error.message, 120);
  const parts = [word, took, why].filter((part) => part !== "");
  const icon = isRunning ? "running" : outcome === "completed" ? "completed" : "dead";
  const label = say("Attempt {n}", { n: attempt.attempt });
  return {
    key: `attempt:${task.id}:${attempt.generation}:${attempt.attempt}`,
    // Commands on an attempt act on its task.
    target: { kind: "attempt", id: task.id },
    label,
    description: parts.join(" · "),
    icon:
      outcome === "interrupted" || outcome === "lost"
        ? { id: "debug-disconnect", color: null }
        : statusIcon(icon),
    contextValue: "",
    accessibility: [label, ...parts].join(", "),
    collapsible: "none",
    tooltip: error === null ? null : line(error.message, 1000),
    command: {
      id: "msgSys.task.showDetail",
      title: say("Show Detail"),
      args: [{ kind: "task", id: task.id }],
    },
    children: [],
  };
}

function outcomeWord(outcome: string, say: Say): string {
  switch (outcome) {
    case "running":
      return say("Running");
    case "completed":
      return say("Completed");
    case "lost":
      return say("Worker lost");
    case "interrupted":
      return say("Interrupted");
    case "timed-out":
      return say("Timed out");
    case "cancelled":
      return say("Cancelled");
    case "handler-failed":
      return say("Failed");
    default:
      return line(outcome, 40);
  }
}

function lanesNode(lanes: readonly LaneModel[], context: NodeContext): NodeView {
  const { say, locale } = context;
  return {
    key: "lanes",
    target: { kind: "lane", id: "" },
    label: say("Lanes"),
    description: say("{n} need attention", { n: count(lanes.length, locale) }),
    icon: { id: "warning", color: "list.warningForeground" },
    contextValue: "",
    accessibility: say("Lanes, {n} need attention", { n: count(lanes.length, locale) }),
    collapsible: "expanded",
    tooltip: null,
    command: null,
    children: lanes.map((lane) => laneNode(lane, context)),
  };
}

function laneNode(lane: LaneModel, { say, locale }: NodeContext): NodeView {
  const { queue, waiting, oldestWaitMs, trouble } = lane;
  const oldest =
    oldestWaitMs === null ? "" : formatDuration(oldestWaitMs - (oldestWaitMs % 10_000));
  const n = count(waiting, locale);
  const words =
    trouble === "unserved"
      ? say("No worker serves it · {n} waiting", { n })
      : trouble === "late"
        ? say("Oldest waits {time} · {n} waiting", { time: oldest, n })
        : say("{n} waiting", { n });
  return {
    key: `lane:${queue}`,
    target: { kind: "lane", id: queue },
    label: queue,
    description: words,
    icon: { id: trouble === "unserved" ? "debug-disconnect" : "warning", color: null },
    contextValue: "lane",
    accessibility: say("Queue {queue}, {words}", { queue, words: words.replaceAll(" · ", ", ") }),
    collapsible: "none",
    tooltip: null,
    command: {
      id: "msgSys.dashboard.open",
      title: say("Open Dashboard"),
      args: [{ screen: "queues", filter: `queue:${queue}` }],
    },
    children: [],
  };
}

/**
 * Every stream, subject, consumer and header name of the system. No other file spells one out.
 * The prefix is a setting, so that several systems can share a cluster.
 */
export const HEADER = {
  /** JetStream's deduplication id: `<taskId>:<generation>`. */
  msgId: "Nats-Msg-Id",
  /** Compare-and-swap: the sequence of the last record that the writer saw on the subject; 0 = none. */
  expectLast: "Nats-Expected-Last-Subject-Sequence",
  name: "Ms-Name",
  /** Absent means generation 1. */
  generation: "Ms-Gen",
  correlation: "Ms-Corr",
  trace: "Ms-Trace",
  category: "Ms-Category",
  phase: "Ms-Phase",
  /** The pipeline run that the task belongs to, as JSON (`RunDescriptor`). */
  run: "Ms-Run",
  /** Epoch milliseconds at which a delayed task becomes due. */
  due: "Ms-Due",
  level: "Ms-Level",
  /** Epoch milliseconds of the first enqueue, kept through copies. */
  enqueued: "Ms-Enq",
  /** Who enqueued the task. */
  by: "Ms-By",
  /** The task has a journal record already although the message is of generation 1. */
  journaled: "Ms-Journaled",
  /** Of a dead letter: why and with which errors, as JSON (`DeadLetter`). */
  dead: "Ms-Dead",
} as const;

/** A queue is one subject token. */
export const QUEUE_PATTERN = /^[a-z0-9](?:[a-z0-9_-]{0,62}[a-z0-9])?$/;
/** A task id is one subject token. */
export const TASK_ID_PATTERN = /^[A-Za-z0-9_-]{1,120}$/;
/** A task name: dot-separated lower-case tokens, for example `etl.load.warehouse`. */
export const TASK_NAME_PATTERN =
  /^[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?)*$/;
/** A user name is one subject token. */
export const USER_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/;

/** The queue that a task of this name goes to when its definition names none. */
export function defaultQueueOf(taskName: string): string {
  const dot = taskName.indexOf(".");
  return dot === -1 ? taskName : taskName.slice(0, dot);
}

export interface TaskSubject {
  readonly level: number;
  readonly queue: string;
  readonly taskId: string;
}

export interface Names {
  readonly prefix: string;
  readonly stream: {
    readonly tasks: string;
    readonly state: string;
    readonly events: string;
    readonly dead: string;
    readonly due: string;
    readonly egos: string;
    readonly advisory: string;
  };
  readonly kv: { readonly results: string };
  /** With `*` for a part: the filter over all of them. */
  task(level: number | "*", queue: string, taskId: string): string;
  parseTask(subject: string): TaskSubject | null;
  state(queue: string, taskId: string): string;
  parseState(subject: string): { queue: string; taskId: string } | null;
  /** Where the server repeats each journal record for whoever listens (nothing is stored there). */
  fact(queue: string, taskId: string): string;
  parseFact(subject: string): { queue: string; taskId: string } | null;
  /** Where the daemon tells, a few times a second at most, what was enqueued (nothing is stored there). */
  readonly enqueued: string;
  /** The doorbell: the server repeats the headers of each task message here. */
  bell(level: number | "*", queue: string): string;
  parseBell(subject: string): { level: number; queue: string } | null;
  dead(queue: string, taskId: string): string;
  due(queue: string, taskId: string): string;
  /** Where a large result lies. Each generation has a place of its own: a worker that lost the task writes to none that counts. */
  result(taskId: string, generation: number): string;
  /** System facts beside the journal, e.g. `task.progress.<id>`, `daemon.started`. */
  event(kind: string): string;
  /** Control requests: `api(user, verb)` or with the level that the request sets. */
  api(user: string, verb: string, level?: number): string;
  /** The filter over every control request of everybody. */
  readonly apiAll: string;
  parseApi(subject: string): { user: string; verb: string; level: number | null } | null;
  /** A worker's heartbeat, its messages to the daemon, and the daemon's orders to it. */
  heartbeat(workerId: string): string;
  hello(workerId: string): string;
  order(workerId: string): string;
  /** The durable pull consumer of one level of one queue. */
  consumer(queue: string, level: number): string;
  parseConsumer(name: string): { queue: string; level: number } | null;
}

export function createNames(prefix = "ms"): Names {
  const upper = prefix.toUpperCase();
  const head = `${prefix}.`;
  const two = (subject: string, kind: string): { queue: string; taskId: string } | null => {
    const parts = subject.split(".");
    const [p, k, queue, taskId] = parts;
    if (parts.length !== 4 || p !== prefix || k !== kind || !queue || !taskId) return null;
    return { queue, taskId };
  };
  return {
    prefix,
    stream: {
      tasks: `${upper}_TASKS`,
      state: `${upper}_STATE`,
      events: `${upper}_EVENTS`,
      dead: `${upper}_DEAD`,
      due: `${upper}_DUE`,
      egos: `${upper}_EGOS`,
      advisory: `${upper}_ADVISORY`,
    },
    kv: { results: `${prefix}_results` },
    task: (level, queue, taskId) => `${head}task.${level}.${queue}.${taskId}`,
    parseTask(subject) {
      const [p, k, level, queue, taskId, more] = subject.split(".");
      if (p !== prefix || k !== "task" || !level || !queue || !taskId || more !== undefined)
        return null;
      const n = Number(level);
      return Number.isInteger(n) && n >= 0 && n <= 10 ? { level: n, queue, taskId } : null;
    },
    state: (queue, taskId) => `${head}state.${queue}.${taskId}`,
    parseState: (subject) => two(subject, "state"),
    fact: (queue, taskId) => `${head}fact.${queue}.${taskId}`,
    parseFact: (subject) => two(subject, "fact"),
    enqueued: `${head}fact.enqueued`,
    bell: (level, queue) => `${head}bell.${level}.${queue}.>`,
    parseBell(subject) {
      const [p, k, level, queue] = subject.split(".");
      if (p !== prefix || k !== "bell" || !level || !queue) return null;
      return { level: Number(level), queue };
    },
    dead: (queue, taskId) => `${head}dead.${queue}.${taskId}`,
    due: (queue, taskId) => `${head}due.${queue}.${taskId}`,
    result: (taskId, generation) => `$KV.${prefix}_results.${taskId}.${generation}`,
    event: (kind) => `${head}event.${kind}`,
    api: (user, verb, level) =>
      level === undefined
        ? `${head}api.v1.${user}.${verb}`
        : `${head}api.v1.${user}.${verb}.${level}`,
    apiAll: `${head}api.v1.>`,
    parseApi(subject) {
      const [p, k, v, user, verb, level, more] = subject.split(".");
      if (p !== prefix || k !== "api" || v !== "v1" || !user || !verb || more !== undefined)
        return null;
      return { user, verb, level: level === undefined ? null : Number(level) };
    },
    heartbeat: (workerId) => `${head}worker.beat.${workerId}`,
    hello: (workerId) => `${head}worker.hello.${workerId}`,
    order: (workerId) => `${head}worker.order.${workerId}`,
    consumer: (queue, level) => `${queue}-${level}`,
    parseConsumer(name) {
      const at = name.lastIndexOf("-");
      const level = Number(name.slice(at + 1));
      return at > 0 && Number.isInteger(level) && level >= 0 && level <= 10
        ? { queue: name.slice(0, at), level }
        : null;
    },
  };
}

/** Users' domain events and the EGOS subjects have roots of their own. */
export const EVENTS_ROOT = "events";
export const EGOS_ROOT = "egos";

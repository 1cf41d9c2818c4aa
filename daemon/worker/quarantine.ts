import type { TaskMessage } from "../queue/task-message.ts";

export interface QuarantineDeps {
  /** No task runs here and none is being claimed. */
  empty(): boolean;
  /** Begins the claim of a suspect whose turn has come. */
  start(message: TaskMessage): void;
  giveBack(message: TaskMessage, delayMs: number | null): void;
  /** Other tasks may be claimed again. */
  opened(): void;
}

/**
 * A suspect is a task whose workers were lost again and again, and which has one chance left. One at a time, alone: nothing
 * else in this process is to pay for what it does, nor it for what another does.
 */
export interface Quarantine {
  /** One suspect runs alone, or waits for that: nothing else may be claimed. */
  readonly closed: boolean;
  /** True: the suspect may be claimed now. False: its message waits here for its turn, or until it is given back. */
  admit(message: TaskMessage): boolean;
  /** Whether the place is this task's. */
  holds(taskId: string): boolean;
  /** The task has ended, or its claim came to nothing: its place is free if it had it. */
  left(taskId: string): void;
  /** The process may have become empty: the suspect that waits for that begins. */
  look(): void;
  /** Every message that waits here; none waits afterwards. */
  drain(): TaskMessage[];
}

/**
 * The place of the suspect: `free`; `closing`, one waits until nothing else runs here; `alone`, it runs and nothing else is
 * begun; `beside`, its time alone is over and others that are no suspects may begin; `airing`, the next one waits so that others can begin.
 */
type Place =
  | { readonly kind: "free" }
  | { readonly kind: "airing" }
  | { readonly kind: "closing"; readonly message: TaskMessage }
  | { readonly kind: "alone"; readonly id: string }
  | { readonly kind: "beside"; readonly id: string };

/**
 * A suspect keeps others from beginning for no longer than this, waiting and running together: long enough for what kills
 * at its start, and an hour's work does not hold up everything else.
 */
const ALONE_MS = 5000;
/** When nothing else could begin for so long, everything else has the second time before the next suspect. */
const CLOSED_LONG_MS = 1000;
const AIRING_MS = 1000;
/** A suspect that waits for its turn longer than this is given back: another process may have room for it. */
const TURN_MS = 2000;
const AGAIN_MS = 1000;

export function createQuarantine(deps: QuarantineDeps): Quarantine {
  const line = new Map<string, { message: TaskMessage; since: number }>();
  let place: Place = { kind: "free" };
  let closedAt = 0;
  let aloneTimer: NodeJS.Timeout | undefined;
  let turnTimer: NodeJS.Timeout | undefined;

  /** Gives the free place to a suspect, which waits until it is alone. */
  const take = (message: TaskMessage): void => {
    if (place.kind !== "alone") closedAt = performance.now();
    place = { kind: "closing", message };
    aloneTimer = setTimeout(open, ALONE_MS);
    aloneTimer.unref();
  };

  /** The time alone is over. */
  const open = (): void => {
    if (place.kind === "closing") {
      const { message } = place;
      place = { kind: "beside", id: message.id };
      deps.start(message);
    } else if (place.kind === "alone") place = { kind: "beside", id: place.id };
    deps.opened();
  };

  const look = (): void => {
    if (place.kind !== "closing" || !deps.empty()) return;
    const { message } = place;
    place = { kind: "alone", id: message.id };
    deps.start(message);
  };

  /** The place goes to the next in line, the highest level first. */
  const next = (): void => {
    const [first] = [...line.values()].sort((a, b) => b.message.level - a.message.level);
    if (first === undefined) {
      place = { kind: "free" };
      return;
    }
    line.delete(first.message.id);
    take(first.message);
    look();
  };

  const leave = (): void => {
    const { closed } = quarantine;
    clearTimeout(aloneTimer);
    if (closed && line.size > 0 && performance.now() - closedAt > CLOSED_LONG_MS) {
      place = { kind: "airing" };
      aloneTimer = setTimeout(next, AIRING_MS);
      aloneTimer.unref();
    } else next();
    if (closed && !quarantine.closed) deps.opened();
  };

  const wait = (message: TaskMessage): void => {
    const since = line.get(message.id)?.since ?? performance.now();
    line.set(message.id, { message, since });
    armTurn();
  };
  const armTurn = (): void => {
    turnTimer ??= setTimeout(giveBackLate, TURN_MS);
    turnTimer.unref();
  };
  const giveBackLate = (): void => {
    turnTimer = undefined;
    const now = performance.now();
    for (const [id, { message, since }] of line) {
      if (now - since < TURN_MS / 2) continue;
      line.delete(id);
      deps.giveBack(message, AGAIN_MS);
    }
    if (line.size > 0) armTurn();
  };

  const holds = (taskId: string): boolean =>
    (place.kind === "alone" || place.kind === "beside") && place.id === taskId;

  const quarantine: Quarantine = {
    get closed() {
      return place.kind === "closing" || place.kind === "alone";
    },
    admit(message) {
      if (place.kind === "free") {
        take(message);
        return false;
      }
      if (place.kind === "airing") {
        wait(message);
        return false;
      }
      if (place.kind === "closing") {
        // Delivered again: the newer message stands for the task.
        if (place.message.id === message.id) place = { kind: "closing", message };
        else wait(message);
        return false;
      }
      if (place.id === message.id) return true;
      wait(message);
      return false;
    },
    holds,
    left(taskId) {
      if (holds(taskId)) leave();
    },
    look,
    drain() {
      clearTimeout(aloneTimer);
      clearTimeout(turnTimer);
      turnTimer = undefined;
      const messages = [...line.values()].map(({ message }) => message);
      line.clear();
      if (place.kind === "closing") messages.push(place.message);
      if (place.kind === "closing" || place.kind === "airing") place = { kind: "free" };
      return messages;
    },
  };
  return quarantine;
}

import type { Names } from "../../shared/subjects.ts";

/** One level of one queue. `maybe`: it may hold messages; false only after the server said that it has none. */
export interface Lane {
  readonly queue: string;
  readonly level: number;
  readonly consumer: string;
  maybe: boolean;
  /** Until when (monotonic) a pull that waits for the next message of this empty lane is out; 0: none. */
  waitingUntil: number;
  /** Doorbells since that pull went out: the first one is for the message that the pull brings. */
  rangWhileWaiting: number;
  /** Doorbells heard: one that rings while a pull is on its way may be for a message that the pull did not see. */
  rang: number;
  /** Doorbells whose messages have not come yet. */
  owed: number;
  /** Empty answers since the last doorbell while messages were owed. */
  doubts: number;
}

/**
 * The broker rings before its consumer knows of the message (about one time in a hundred): how long after an empty answer
 * another look is due, the first and the second time. Without it the message would wait for the forced sweep.
 */
const LOOK_AGAIN_MS = [5, 25] as const;

/** The lanes of a pool, highest level first. */
export interface Lanes {
  all(): readonly Lane[];
  get(consumer: string): Lane | undefined;
  add(queue: string, level: number): Lane;
  /** The doorbell rang for a lane: it may hold messages. */
  ring(queue: string, level: number): void;
  /** A message of the lane has come. */
  brought(lane: Lane): void;
  /** The broker calls the lane empty. When to look again, in milliseconds, because a doorbell says otherwise; else null. */
  emptied(lane: Lane): number | null;
  /** The lane to pull next and how many messages; null when nothing is wanted or all are known to be empty. */
  choose(capacity: (level: number) => number): { lane: Lane; batch: number } | null;
}

export function isWaiting(lane: Lane): boolean {
  return performance.now() < lane.waitingUntil;
}

export function createLanes(names: Names): Lanes {
  const lanes = new Map<string, Lane>();
  let ordered: Lane[] = [];

  const addLane = (queue: string, level: number): Lane => {
    const consumer = names.consumer(queue, level);
    const known = lanes.get(consumer);
    if (known) return known;
    const lane: Lane = {
      queue,
      level,
      consumer,
      maybe: true,
      rang: 0,
      waitingUntil: 0,
      rangWhileWaiting: 0,
      owed: 0,
      doubts: 0,
    };
    lanes.set(consumer, lane);
    ordered = [...lanes.values()].sort((a, b) => b.level - a.level || (a.queue < b.queue ? -1 : 1));
    return lane;
  };

  /** Which lane to pull next. Lanes of one level take turns, so that no queue starves its neighbour. */
  let turn = 0;
  const choose: Lanes["choose"] = (capacity) => {
    for (let i = 0; i < ordered.length; ) {
      const level = ordered[i]!.level;
      let end = i;
      while (end < ordered.length && ordered[end]!.level === level) end++;
      const batch = capacity(level);
      if (batch > 0) {
        const width = end - i;
        for (let k = 0; k < width; k++) {
          const lane = ordered[i + ((turn + k) % width)]!;
          if (lane.maybe) {
            turn = (turn + 1) % 1_000_000;
            return { lane, batch };
          }
        }
      }
      i = end;
    }
    return null;
  };

  return {
    all: () => ordered,
    get: (consumer) => lanes.get(consumer),
    add: addLane,
    choose,
    ring(queue, level) {
      const lane = addLane(queue, level);
      lane.rang++;
      // The first one is for the message that the waiting pull brings.
      if (isWaiting(lane) && ++lane.rangWhileWaiting === 1) return;
      lane.maybe = true;
      lane.owed++;
      lane.doubts = 0;
    },
    brought(lane) {
      if (lane.owed > 0) lane.owed--;
    },
    emptied(lane) {
      lane.maybe = false;
      const againMs = lane.owed > 0 ? LOOK_AGAIN_MS[lane.doubts++] : undefined;
      // Another worker has it: what was owed will not come here.
      if (againMs === undefined) lane.owed = 0;
      return againMs ?? null;
    },
  };
}

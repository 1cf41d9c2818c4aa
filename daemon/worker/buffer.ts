import { HIGHEST_LEVEL } from "../../shared/priority.ts";

/** Things in hand, taken out highest level first and in order of arrival inside a level. */
export interface LevelBuffer<T> {
  readonly size: number;
  push(level: number, item: T): void;
  /** Takes the next one at or above `least`; undefined when there is none. */
  shift(least: number): T | undefined;
  /** How many are at `level` or above. */
  countFrom(level: number): number;
  drain(): T[];
}

export function createLevelBuffer<T>(): LevelBuffer<T> {
  const lanes: T[][] = Array.from({ length: HIGHEST_LEVEL + 1 }, () => []);
  let size = 0;
  return {
    get size() {
      return size;
    },
    push(level, item) {
      lanes[level]!.push(item);
      size++;
    },
    shift(least) {
      if (size === 0) return undefined;
      for (let level = HIGHEST_LEVEL; level >= least; level--) {
        const lane = lanes[level]!;
        if (lane.length > 0) {
          size--;
          return lane.shift();
        }
      }
      return undefined;
    },
    countFrom(level) {
      if (size === 0) return 0;
      let count = 0;
      for (let l = level; l <= HIGHEST_LEVEL; l++) count += lanes[l]!.length;
      return count;
    },
    drain() {
      const all = lanes.flatMap((lane) => lane.splice(0));
      size = 0;
      return all;
    },
  };
}

import { parseArgs } from "node:util";

export interface CrashOptions {
  readonly seed: number;
  readonly tasks: number;
  /** For how long tasks are fed and faults are made. */
  readonly seconds: number;
  /** Faults in that time: kills and freezes. */
  readonly kills: number;
  /** Tasks of each stage of the phases that check the order; 0 leaves them out. */
  readonly ordered: number;
  /** Longest wait for every task to end after the last fault. */
  readonly recoverySeconds: number;
  /** Keeps the data directory for a look at it. */
  readonly keep: boolean;
}

const DEFAULTS = { tasks: 10_000, seconds: 120, kills: 40, ordered: 120, recovery: 120 } as const;

/** Reads the command line. Throws TypeError for what it does not know. */
export function parseCrashOptions(argv: readonly string[]): CrashOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: "string" },
      tasks: { type: "string" },
      seconds: { type: "string" },
      kills: { type: "string" },
      ordered: { type: "string" },
      recovery: { type: "string" },
      keep: { type: "boolean", default: false },
    },
  });
  const whole = (name: keyof typeof DEFAULTS | "seed", usual: number): number => {
    const text = values[name];
    const n = text === undefined ? usual : Number(text);
    if (!Number.isInteger(n) || n < 0) throw new TypeError(`--${name} takes a whole number`);
    return n;
  };
  return {
    seed: whole("seed", Math.floor(Math.random() * 1_000_000)),
    tasks: whole("tasks", DEFAULTS.tasks),
    seconds: whole("seconds", DEFAULTS.seconds),
    kills: whole("kills", DEFAULTS.kills),
    ordered: whole("ordered", DEFAULTS.ordered),
    recoverySeconds: whole("recovery", DEFAULTS.recovery),
    keep: values.keep,
  };
}

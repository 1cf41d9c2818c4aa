import { crash } from "./crash.ts";
import type { SystemName, Variant } from "./system.ts";
import {
  escalation,
  express,
  latency,
  type Metrics,
  type Outcome,
  priority,
  type Sizes,
  throughput,
  type Workload,
} from "./workloads.ts";

/** One measurement in a process of its own. */
export interface Case {
  readonly run: (load: Workload) => Promise<Outcome>;
  readonly variant: Variant;
  readonly systems: readonly SystemName[];
  /** After this it is given up. */
  readonly limitSeconds: number;
  readonly title: string;
}

const BOTH = ["msgsys", "raw"] as const;

export const CASES = {
  throughput: {
    title: "Throughput",
    run: throughput,
    variant: "default",
    systems: BOTH,
    limitSeconds: 240,
  },
  latency: {
    title: "Idle latency",
    run: latency,
    variant: "default",
    systems: BOTH,
    limitSeconds: 90,
  },
  priority: {
    title: "Critical tasks behind a backlog, and memory",
    run: priority,
    variant: "default",
    systems: BOTH,
    limitSeconds: 180,
  },
  express: {
    title: "Critical tasks with every ordinary slot busy",
    run: express,
    variant: "default",
    systems: BOTH,
    limitSeconds: 120,
  },
  escalation: {
    title: "Change of priority",
    run: escalation,
    variant: "default",
    systems: BOTH,
    limitSeconds: 300,
  },
  crash: {
    title: "SIGKILL of the worker",
    run: crash,
    variant: "default",
    systems: ["msgsys"],
    limitSeconds: 120,
  },
  strict: {
    title: "Throughput, every write on disk first (strict)",
    run: throughput,
    variant: "safe",
    systems: BOTH,
    limitSeconds: 300,
  },
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof CASES;

const FULL: Sizes = {
  tasks: 20_000,
  oneByOne: 1000,
  latency: 500,
  backlog: 100_000,
  criticals: 100,
  escalations: 100,
  waiting: [1000, 100_000, 400_000],
  crash: 2000,
};
const QUICK: Sizes = {
  tasks: 3000,
  oneByOne: 200,
  latency: 100,
  backlog: 10_000,
  criticals: 30,
  escalations: 30,
  waiting: [1000, 5000, 20_000],
  crash: 600,
};

/** The strict profile waits for the disk at each write: half as much of it is enough. */
export function sizesOf(name: CaseName, quick: boolean): Sizes {
  const sizes = quick ? QUICK : FULL;
  return CASES[name].variant === "safe" ? { ...sizes, tasks: sizes.tasks / 2 } : sizes;
}

/** What the process of a case is started with (its first argument, JSON). */
export interface CaseStart {
  readonly name: CaseName;
  readonly system: SystemName;
  readonly quick: boolean;
  /** Everything that it writes is below; the parent removes it. */
  readonly dir: string;
}

/** What it answers. `lost` and `completedTwice` are null for the system that keeps no account. */
export interface CaseResult {
  readonly metrics: Metrics;
  readonly lost: number | null;
  readonly completedTwice: number | null;
}

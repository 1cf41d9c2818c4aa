import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A start, an end or a failure of a handler, as the handler wrote it. */
export interface Effect {
  readonly kind: "start" | "end" | "failure";
  readonly label: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly generation: number;
  readonly level: number;
  /** Monotonic ns of the machine. */
  readonly ns: bigint;
  readonly pid: number;
}

/** All effects of all processes in the order of time. A line that a kill cut short is left out. */
export function readEffects(dir: string): Effect[] {
  const effects = readdirSync(dir).flatMap((file) => {
    const pid = Number(/^effects-(\d+)\.log$/.exec(file)?.[1] ?? 0);
    if (pid === 0) return [];
    return readFileSync(join(dir, file), "utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => parse(line, pid));
  });
  return effects.sort((a, b) => (a.ns < b.ns ? -1 : 1));
}

function parse(line: string, pid: number): Effect {
  const [kind, label, taskId, attempt, generation, level, ns] = line.split(" ");
  return {
    kind: kind === "S" ? "start" : kind === "E" ? "end" : "failure",
    label: label ?? "",
    taskId: taskId ?? "",
    attempt: Number(attempt),
    generation: Number(generation),
    level: Number(level),
    ns: BigInt(ns ?? 0),
    pid,
  };
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A line that a traced task left: the start or the end of one execution, a step of it, or what stopped it. */
export interface Effect {
  readonly what: "start" | "end" | "step" | `stopped:${string}`;
  readonly label: string;
  readonly taskId: string;
  readonly attempt: number;
  readonly level: number;
}

/** Where traced tasks leave their lines, and the gates that hold them. */
export interface Effects {
  /** The input of a traced task. */
  input<T extends object>(label: string, more?: T): { file: string; label: string } & T;
  /** The input of a task that waits for the gate of this name. */
  gated<T extends object>(
    label: string,
    gate: string,
    more?: T,
  ): { file: string; label: string; open: string } & T;
  /** Opens a gate: tasks that wait for it go on. */
  open(gate: string): void;
  all(): Effect[];
  /** Labels of the executions that started, in order. */
  started(): string[];
  /** How many executions of this label started. */
  starts(label: string): number;
  ends(label: string): number;
  remove(): void;
}

export function effects(): Effects {
  const dir = mkdtempSync(join(tmpdir(), "msgsys-effects-"));
  const file = join(dir, "effects.log");
  writeFileSync(file, "");
  const all = (): Effect[] =>
    readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map(toEffect);
  const count = (what: Effect["what"], label: string): number =>
    all().filter((effect) => effect.what === what && effect.label === label).length;
  return {
    input: (label, more) => ({ file, label, ...more }) as never,
    gated: (label, gate, more) => ({ file, label, open: join(dir, gate), ...more }) as never,
    open: (gate) => writeFileSync(join(dir, gate), ""),
    all,
    started: () =>
      all()
        .filter(({ what }) => what === "start")
        .map(({ label }) => label),
    starts: (label) => count("start", label),
    ends: (label) => count("end", label),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function toEffect(line: string): Effect {
  const [what, label = "", taskId = "", attempt, level] = line.split(" ");
  return {
    what: what as Effect["what"],
    label,
    taskId,
    attempt: Number(attempt),
    level: Number(level),
  };
}

import type { CliIo } from "./io.ts";
import { countWords } from "./words.ts";

/** How far something is. `total` null: nobody knows the end. */
export interface ProgressStep {
  readonly label: string;
  readonly done: number;
  readonly total: number | null;
  readonly what: string;
}

/** Tells progress on standard error. */
export interface ProgressView {
  update(step: ProgressStep): void;
  /** A line that stays. */
  line(text: string): void;
  end(): void;
}

const PLAIN_EVERY_MS = 1000;
const BAR_WIDTH = 24;

/** One moving bar on a terminal; elsewhere plain lines, at most one a second for each label. */
export function createProgress(io: Pick<CliIo, "err" | "errIsTerminal" | "now">): ProgressView {
  return io.errIsTerminal ? movingBar(io) : plainLines(io);
}

function movingBar(io: Pick<CliIo, "err">): ProgressView {
  const clear = "\r\u001b[2K";
  let shown = false;
  return {
    update(step) {
      io.err(`${clear}${step.label.padEnd(10)} ${bar(step)} ${stepWords(step)}`);
      shown = true;
    },
    line(text) {
      io.err(`${shown ? clear : ""}${text}\n`);
      shown = false;
    },
    end() {
      if (shown) io.err(clear);
      shown = false;
    },
  };
}

function plainLines(io: Pick<CliIo, "err" | "now">): ProgressView {
  const lastMs = new Map<string, number>();
  return {
    update(step) {
      const now = io.now();
      if (now - (lastMs.get(step.label) ?? Number.NEGATIVE_INFINITY) < PLAIN_EVERY_MS) return;
      lastMs.set(step.label, now);
      io.err(`${step.label}: ${stepWords(step)}\n`);
    },
    line: (text) => io.err(`${text}\n`),
    end() {},
  };
}

/** `62 %  3,100 of 5,000 rows`. */
export function stepWords({ done, total, what }: ProgressStep): string {
  if (total === null || total <= 0) return `${countWords(done)} ${what}`.trim();
  const share = Math.min(100, Math.floor((100 * done) / total));
  return `${String(share).padStart(3)} %  ${countWords(done)} of ${countWords(total)} ${what}`.trimEnd();
}

function bar({ done, total }: ProgressStep): string {
  if (total === null || total <= 0) return "·".repeat(BAR_WIDTH);
  const full = Math.min(BAR_WIDTH, Math.round((BAR_WIDTH * done) / total));
  return "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
}

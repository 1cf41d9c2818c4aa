import type { ClsContext } from "./params.ts";

const INTERVAL_MS = 500;

/** Tells how far a sync is, often enough and not more. */
export interface Reporter {
  beginFile(name: string, index: number): void;
  /** `rows` read of the current file. Throws the signal's reason when the run is to stop. */
  rows(rows: number): void;
  /** Tells at once, before a step that cannot be interrupted. */
  step(what: string): void;
}

export function createReporter(ctx: ClsContext, files: number): Reporter {
  let name = "";
  let index = 0;
  let done = 0;
  let began = performance.now();
  let told = 0;
  const tell = (what: string): void => {
    told = performance.now();
    const perSecond = Math.round((done / Math.max(told - began, 1)) * 1000);
    const of = `rows of file ${index + 1} of ${files} (${name})`;
    ctx.progress({ done, total: null, what: `${of}: ${what}, ${perSecond} rows/s` });
  };
  return {
    beginFile: (next, at) => {
      [name, index, done, began] = [next, at, 0, performance.now()];
      tell("reading");
    },
    rows: (rows) => {
      done = rows;
      if (performance.now() - told < INTERVAL_MS) return;
      ctx.signal.throwIfAborted();
      tell("reading");
    },
    step: tell,
  };
}

import type { Job } from "./system.ts";

const SIZE_BYTES = 256;

/** Microseconds of the clock that all processes of the machine share. */
export function nowUs(): number {
  return Number(process.hrtime.bigint()) / 1000;
}

/** An input of 256 bytes of JSON, stamped with the time of its making. */
export function makeJob(i: number, p = 0): Job {
  const job = { i, p, t: Math.round(nowUs()), pad: "" };
  return { ...job, pad: "x".repeat(Math.max(0, SIZE_BYTES - JSON.stringify(job).length)) };
}

import { closeSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { cpus, platform, release, totalmem } from "node:os";
import { join } from "node:path";

/** The value below which the share `q` of the samples lies, interpolated; null without samples. */
export function quantile(samples: readonly number[], q: number): number | null {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) return null;
  return low + (high - low) * (at - Math.floor(at));
}

/** `<name>.p50`, `.p99` and `.max` in milliseconds of samples in microseconds. */
export function spreadMs(
  name: string,
  samplesUs: readonly number[],
): Record<string, number | null> {
  const of = (q: number): number | null => {
    const us = quantile(samplesUs, q);
    return us === null ? null : us / 1000;
  };
  return { [`${name}.p50`]: of(0.5), [`${name}.p99`]: of(0.99), [`${name}.max`]: of(1) };
}

/** Memory of one process in MiB; null where the system does not tell (only Linux does). */
export function memoryOf(pid: number): { rss: number; pss: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
    const mib = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? Number.NaN) / 1024;
    return { rss: mib("Rss"), pss: mib("Pss") };
  } catch {
    // Ignored: no such file on this system, or the process is gone.
    return null;
  }
}

/** User and system time that a process has used, in microseconds, in steps of 10 ms; null where the system does not tell. */
export function cpuUsOf(pid: number): number | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    // Ignored: as above.
    return null;
  }
}

/** Measures what processes use while `work` runs: `<name>.cpu.<role>` and `.all`, microseconds per task. */
export async function withCpu(
  name: string,
  pids: Readonly<Record<string, number>>,
  tasks: number,
  work: () => Promise<unknown>,
): Promise<Record<string, number | null>> {
  const roles = Object.entries(pids);
  const before = roles.map(([, pid]) => cpuUsOf(pid));
  await work();
  const used = roles.map(([role, pid], at) => {
    const from = before[at] ?? null;
    const to = cpuUsOf(pid);
    return [role, from === null || to === null ? null : (to - from) / tasks] as const;
  });
  const all = used.reduce<number | null>(
    (sum, [, us]) => (sum === null || us === null ? null : sum + us),
    0,
  );
  return Object.fromEntries(
    [...used, ["all", all] as const].map(([r, us]) => [`${name}.cpu.${r}`, us]),
  );
}

export interface DiskSync {
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

const SYNCS = 100;
const BLOCK_BYTES = 4096;

/** How long a 4 KiB append takes to be on the disk that holds `dir`. */
export function measureDiskSync(dir: string): DiskSync {
  const file = openSync(join(dir, "disk-sync"), "w");
  const block = Buffer.alloc(BLOCK_BYTES, 1);
  const tookMs: number[] = [];
  try {
    for (let i = 0; i < SYNCS; i++) {
      const began = performance.now();
      writeSync(file, block);
      fdatasyncSync(file);
      tookMs.push(performance.now() - began);
    }
  } finally {
    closeSync(file);
  }
  return { p50Ms: quantile(tookMs, 0.5), p99Ms: quantile(tookMs, 0.99) };
}

export function describeMachine(): Record<string, string | number> {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? "unknown",
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    node: process.version,
  };
}

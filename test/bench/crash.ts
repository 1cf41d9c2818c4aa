import { readFileSync } from "node:fs";
import { join } from "node:path";
import { nowUs } from "./job.ts";
import { quantile } from "./measure.ts";
import { until } from "./wait.ts";
import { spawnWorker } from "./worker-process.ts";
import type { Outcome, Workload } from "./workloads.ts";

/** What the traces of all workers say, in microseconds. */
interface Trace {
  readonly starts: ReadonlyMap<number, readonly number[]>;
  readonly ends: ReadonlyMap<number, readonly number[]>;
}

/**
 * SIGKILL of the worker at 30 % of tasks of 5 ms; another process is started at once. How long until the tasks that ran
 * when it died run again, and until all have ended.
 */
export async function crash(load: Workload): Promise<Outcome> {
  const { name, system, sizes, dir } = load;
  const queue = await system.open("bench");
  await queue.enqueue(sizes.crash, { mode: "bulk" });
  const traceFile = join(dir, "trace");
  const start = {
    system: name,
    conn: system.conn,
    queue: "bench",
    aim: "latency",
    levels: ["normal"],
    handlerMs: 5,
    sampleFrom: 0,
    traceFile,
  } as const;
  const first = await spawnWorker(start);
  await first.go();
  await first.reached(Math.round(sizes.crash * 0.3));
  const killedUs = nowUs();
  await first.kill();
  const before = readTrace(traceFile);
  const interrupted = [...before.starts.keys()].filter((i) => !before.ends.has(i));
  const second = await spawnWorker(start);
  await second.go();
  const backUs = nowUs();
  await until(async () => (await queue.outstanding()) === 0);
  const after = readTrace(traceFile);
  const againMs = interrupted.flatMap((i) => {
    const again = after.starts.get(i)?.find((us) => us > killedUs);
    return again === undefined ? [] : [(again - killedUs) / 1000];
  });
  const lastEndUs = Math.max(...[...after.ends.values()].map((all) => all.at(-1) ?? 0));
  await second.stop();
  await queue.close();
  return {
    metrics: {
      interrupted: interrupted.length,
      notRunAgain: interrupted.length - againMs.length,
      workerBackMs: (backUs - killedUs) / 1000,
      "again.p50": quantile(againMs, 0.5),
      "again.max": quantile(againMs, 1),
      allEndedMs: (lastEndUs - killedUs) / 1000,
      ranTwice: [...after.ends.values()].filter((all) => all.length > 1).length,
    },
    accepted: sizes.crash,
    drained: true,
  };
}

function readTrace(file: string): Trace {
  const starts = new Map<number, number[]>();
  const ends = new Map<number, number[]>();
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [what, i, us] = line.split(" ");
    if (us === undefined) continue;
    const into = what === "start" ? starts : ends;
    const all = into.get(Number(i)) ?? [];
    all.push(Number(us));
    into.set(Number(i), all);
  }
  return { starts, ends };
}

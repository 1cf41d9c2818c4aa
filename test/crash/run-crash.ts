import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnectedClient } from "../../daemon/sdk.ts";
import { until } from "../support/until.ts";
import { act } from "./acts.ts";
import { readAudit } from "./audit-rows.ts";
import { readBroker } from "./broker-state.ts";
import { readEffects } from "./effects.ts";
import { makeFaults } from "./faults.ts";
import { feed } from "./feed.ts";
import { createLedger } from "./ledger.ts";
import type { CrashOptions } from "./options.ts";
import { checkOrder } from "./order.ts";
import { createChance } from "./random.ts";
import { type CrashReport, toReport } from "./report.ts";
import { type CrashSystem, startSystem } from "./system.ts";
import { judge } from "./verdict.ts";

const CLIENTS = 3;

/** One run of the harness: feeds, breaks, waits until all is quiet, and judges. `log` gets what happens on the way. */
export async function runCrash(
  options: CrashOptions,
  log: (text: string) => void,
): Promise<CrashReport> {
  const dataDir = mkdtempSync(join(tmpdir(), "msgsys-crash-"));
  const effectsDir = join(dataDir, "effects");
  mkdirSync(effectsDir);
  const system = await startSystem({ dataDir, log });
  const clients: ConnectedClient[] = [];
  // Whoever interrupts the harness must not leave its daemon behind.
  const interrupted = (): void => void system.stop().finally(() => process.exit(130));
  process.once("SIGINT", interrupted).once("SIGTERM", interrupted);
  try {
    await system.whole();
    for (let i = 0; i < CLIENTS; i++) clients.push(await system.connect());
    return await runPhases(options, { system, clients, effectsDir, log });
  } finally {
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
    await Promise.all(clients.map((client) => client.close()));
    await system.stop();
    if (options.keep) log(`kept: ${dataDir}`);
    else rmSync(dataDir, { recursive: true, force: true });
  }
}

interface Parts {
  readonly system: CrashSystem;
  readonly clients: readonly ConnectedClient[];
  readonly effectsDir: string;
  log(text: string): void;
}

async function runPhases(options: CrashOptions, parts: Parts): Promise<CrashReport> {
  const { system, clients, effectsDir, log } = parts;
  const ledger = createLedger();
  const chance = (stream: string) => createChance(options.seed, stream);
  const began = performance.now();
  const order = await checkOrder(
    { system, chance: chance("order"), log, client: clients[0]!, effectsDir, ledger },
    options.ordered,
  );
  log(`order checked after ${Math.round(performance.now() - began)} ms`);

  const accepted: string[] = [];
  const quiet = new AbortController();
  const acting = act({ clients, ledger, chance: chance("acts"), accepted }, quiet.signal);
  const feeding = feed(
    {
      clients,
      ledger,
      chance: chance("feed"),
      effectsDir,
      onAccepted: (id) => void accepted.push(id),
    },
    options.tasks,
    options.seconds,
  );
  const faults = await makeFaults(
    { system, chance: chance("faults"), log },
    options.kills,
    options.seconds,
  );
  await feeding;
  quiet.abort();
  await acting;
  await system.whole();
  log("quiet: waiting until every task has ended");
  const quietAt = performance.now();
  const settled = await settle(clients[0]!, system, options.recoverySeconds * 1000);
  const settledMs = Math.round(performance.now() - quietAt);
  log(settled ? `settled after ${settledMs} ms` : `NOT settled after ${settledMs} ms`);
  const broker = await readBroker(system.dataDir);
  await until(
    () => readAudit(system.dataDir),
    (audit) => lastSeqOf(audit.rows.values()) >= lastSeqOf(lastEntries(broker.journals)),
    15_000,
  ).catch((error: unknown) => log(`the audit did not follow: ${String(error).slice(0, 200)}`));
  const audit = readAudit(system.dataDir);
  const effects = readEffects(effectsDir);
  const broken = judge({ ledger, broker, audit, effects });
  return toReport({
    options,
    ledger,
    broker,
    audit,
    effects,
    broken,
    faults: [...order.faults, ...faults],
    stages: order.stages,
    settledMs: settled ? settledMs : null,
    tookMs: Math.round(performance.now() - began),
  });
}

/**
 * Waits until the daemon counts no unfinished task and the broker holds no message and a letter for each dead task; false
 * when the time is over.
 */
async function settle(
  client: ConnectedClient,
  system: CrashSystem,
  limitMs: number,
): Promise<boolean> {
  const open = async (): Promise<number> => {
    try {
      const { counts } = await client.status();
      const unfinished = counts.waiting + counts.running + counts.scheduled + counts.retrying;
      if (unfinished > 0) return unfinished;
      const { tasks, due, deadLetters } = await readBroker(system.dataDir);
      return tasks + due + Math.abs(deadLetters.size - counts.dead);
    } catch {
      // Ignored: the daemon is not back yet; it is asked again.
      return -1;
    }
  };
  return until(open, (n) => n === 0, limitMs).then(
    () => true,
    () => false,
  );
}

function* lastEntries(
  journals: ReadonlyMap<string, readonly { readonly seq: number }[]>,
): Generator<{ readonly lastSeq: number }> {
  for (const entries of journals.values()) yield { lastSeq: entries.at(-1)?.seq ?? 0 };
}

function lastSeqOf(rows: Iterable<{ readonly lastSeq: number }>): number {
  let last = 0;
  for (const { lastSeq } of rows) last = Math.max(last, lastSeq);
  return last;
}

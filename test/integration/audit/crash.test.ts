import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { startRig } from "../../support/audit-rig.ts";
import { until } from "../../support/until.ts";

const CHILD = fileURLToPath(new URL("../../support/audit-child.ts", import.meta.url));
const ROUNDS = 5;
/** Rows after which a round is killed: unlike any rhythm of the audit, so that each dies somewhere else. */
const rowsOf = (round: number): number => 60 + ((round * 137) % 410);

interface Round {
  readonly journaled: string[];
}

async function runAndKill(url: string, dataDir: string, round: number): Promise<Round> {
  const child = spawn(process.execPath, [CHILD, url, dataDir, `r${round}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  await until(
    () => text.split("\n").length,
    (lines) => lines > rowsOf(round),
  );
  child.kill("SIGKILL");
  await exited;
  // The last line may have been cut.
  return { journaled: text.split("\n").slice(0, -1).filter(Boolean) };
}

test("killed at any moment, the audit loses no journaled row and doubles no record", async () => {
  const rig = await startRig();
  const journaled: string[] = [];
  let lives = 0;
  let last = 0;
  let over = false;
  const publishing = (async () => {
    while (!over) {
      const ids = Array.from({ length: 20 }, (_, i) => `live-${lives + i}`);
      lives += ids.length;
      const seqs = await Promise.all(
        ids.map((id) => rig.live(id, { ev: [{ subject: "events.etl.loaded", data: id }] })),
      );
      last = Math.max(last, ...seqs);
    }
  })();
  for (let round = 0; round < ROUNDS; round += 1)
    journaled.push(...(await runAndKill(rig.nats.url, rig.dataDir, round)).journaled);
  over = true;
  await publishing;
  const audit = await rig.start();
  await audit.written(last);
  const reader = audit.reader();
  expect(reader.verify()).toMatchObject({ ok: true });
  reader.close();

  const db = new Database(audit.file, { readonly: true });
  const count = (sql: string): unknown => db.prepare(sql).pluck().get();
  expect(journaled.length).toBeGreaterThan(100);
  const stored = new Set(
    db.prepare<[], string>("SELECT task_id FROM task_audit WHERE args IS NOT NULL").pluck().all(),
  );
  expect(journaled.filter((id) => !stored.has(id))).toEqual([]);
  expect(count("SELECT count(*) FROM task_audit WHERE status = 'completed'")).toBe(lives);
  expect(count("SELECT count(*) FROM task_event WHERE kind = 'task.running'")).toBe(lives);
  expect(count("SELECT count(*) FROM task_event WHERE kind = 'task.completed'")).toBe(lives);
  expect(count("SELECT count(*) FROM task_attempt")).toBe(lives);
  const counted = count("SELECT sum(n) FROM task_count");
  expect(counted).toBe(count("SELECT count(*) FROM task_audit"));
  db.close();
  const events = await rig.wire.api<{ state: { messages: number } }>(
    "$JS.API.STREAM.INFO.MS_EVENTS",
    undefined,
  );
  expect(events.state.messages).toBe(lives);
}, 180_000);

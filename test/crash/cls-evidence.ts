import { createHash } from "node:crypto";
import { join } from "node:path";
import Database from "better-sqlite3";
import { MANIFEST_FILE, readManifest } from "../../daemon/pipelines/cls/manifest.ts";
import { CLS_PHASES } from "../../daemon/pipelines/cls/params.ts";
import { openClsStore } from "../../daemon/pipelines/cls/store.ts";
import { DATA_FILES } from "../../shared/settings.ts";
import { exportHashes } from "../support/cls-phases.ts";
import { readBroker } from "./broker-state.ts";

/** All that a run leaves behind, as text by name, but for ids and times of runs: equal for runs on equal input. */
export type ClsEvidence = Readonly<Record<string, string>>;

/** What is stored: rows to the last cell, what became of increment rows, change log, undo, lists and files. */
const STORED: Readonly<Record<string, string>> = {
  rows: "SELECT * FROM rows ORDER BY id",
  layouts: "SELECT * FROM layouts ORDER BY id",
  events: "SELECT * FROM events ORDER BY file, row",
  changes: "SELECT * FROM changes ORDER BY file, row",
  replaced: "SELECT * FROM replaced ORDER BY id",
  pending:
    "SELECT id, file, row, kind, key, day, layout, cells, differences, decision, decided_by FROM pending ORDER BY id",
  files:
    "SELECT id, sha256, name, kind, day, state, superseded_by, counts, warnings, undoable, archived_at IS NOT NULL FROM files ORDER BY id",
  integrated: "SELECT * FROM integrated ORDER BY idx, rank",
  classified: "SELECT * FROM classified ORDER BY idx, rank",
};

/** Reads store, export and the phases' results of an ended run. */
export async function readClsEvidence(
  dataDir: string,
  root: string,
  out: string,
  phases: Readonly<Record<string, unknown>>,
): Promise<ClsEvidence> {
  return {
    ...storedHashes(dataDir, root),
    ...prefixed("export", await exportHashes(out)),
    [`export ${MANIFEST_FILE}`]: await manifestText(out),
    ...prefixed("result", resultTexts(phases, out)),
  };
}

function prefixed(word: string, parts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parts).map(([name, text]) => [`${word} ${name}`, text]));
}

function storedHashes(dataDir: string, root: string): Record<string, string> {
  const store = openClsStore(dataDir, root);
  try {
    return Object.fromEntries(
      Object.entries(STORED).map(([name, sql]) => {
        const hash = createHash("sha256");
        let rows = 0;
        for (const row of store.db.prepare(sql).raw().iterate()) {
          hash.update(`${JSON.stringify(row)}\n`);
          rows += 1;
        }
        return [`store ${name}`, `${rows} rows ${hash.digest("hex")}`];
      }),
    );
  } finally {
    store.close();
  }
}

/** `input` names the store itself besides what is in it, so it differs between data directories. */
async function manifestText(out: string): Promise<string> {
  const manifest = await readManifest(out);
  return JSON.stringify({ ...manifest, runId: "", createdAt: "", input: "" });
}

/** The results apart from how long they took, where the export lies, and its manifest, which has the run's id. */
function resultTexts(
  phases: Readonly<Record<string, unknown>>,
  out: string,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(phases).map(([phase, result]) => {
      const plain = JSON.stringify(result, (key, value: unknown) => {
        if (key === "durationMs") return 0;
        if (key === "artifacts" && Array.isArray(value))
          return value.filter(({ path }) => path !== join(out, MANIFEST_FILE));
        return sortedByKey(value);
      });
      return [phase, plain.replaceAll(JSON.stringify(out).slice(1, -1), "<out>")];
    }),
  );
}

/** A result that was stored and read again has its keys in another order, which means nothing. */
function sortedByKey(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The names under which two runs differ, with the beginning of both texts. */
export function differences(expected: ClsEvidence, found: ClsEvidence): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return names.flatMap((name) => {
    const [a, b] = [expected[name] ?? "absent", found[name] ?? "absent"];
    if (a === b) return [];
    let at = 0;
    while (a[at] === b[at]) at += 1;
    const from = Math.max(0, at - 40);
    return [`${name}: …${a.slice(from, at + 120)} became …${b.slice(from, at + 120)}`];
  });
}

/** Broken rules of the chain: each phase is one task, completed once, begun by one event. */
export async function judgeChain(dataDir: string, runId: string): Promise<string[]> {
  const broken: string[] = [];
  const { journals } = await readBroker(dataDir);
  const tasks = [...journals].filter(([id]) => id.startsWith(`${runId}-`));
  for (const phase of CLS_PHASES) {
    const entries = journals.get(`${runId}-${phase}`) ?? [];
    const completions = entries.filter(({ record }) => record.s === "completed").length;
    if (completions !== 1) broken.push(`${phase} completed ${completions} times in its journal`);
    if (entries.at(-1)?.record.s !== "completed") broken.push(`${phase} moved after its end`);
  }
  if (tasks.length !== CLS_PHASES.length)
    broken.push(`the run has ${tasks.length} tasks: ${tasks.map(([id]) => id).join(", ")}`);
  return [...broken, ...judgeAudit(dataDir, runId)];
}

function judgeAudit(dataDir: string, runId: string): string[] {
  const db = new Database(join(dataDir, DATA_FILES.audit), { readonly: true });
  try {
    const rows = db
      .prepare<[string], { phase: string; status: string; completions: number; order: number }>(
        `SELECT phase, status, created_at AS "order",
                (SELECT count(*) FROM task_attempt a WHERE a.task_id = t.task_id AND outcome = 'completed') AS completions
         FROM task_audit t WHERE run_id = ? ORDER BY row`,
      )
      .all(runId);
    const told = rows.map(({ phase, status, completions }) => `${phase} ${status} ${completions}`);
    const wanted = CLS_PHASES.map((phase) => `${phase} completed 1`);
    return told.join() === wanted.join() ? [] : [`the audit has ${told.join(", ")}`];
  } finally {
    db.close();
  }
}

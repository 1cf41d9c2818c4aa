import type { IntegratedRow } from "./integrate-row.ts";
import { type CLSPipelineResult, clsPipelineResult } from "./params.ts";
import type { Bucket } from "./rules.ts";
import type { ClsStore } from "./store.ts";

/** Phases whose result lies in the store. */
export type StoredPhase = "integrate" | "classify";

/** A daily file as it was read: its header, and the number that its rows refer to. */
export interface DailyFile {
  readonly id: number;
  readonly name: string;
  readonly names: readonly string[];
}

/** A classified row with the cells of the daily row that it came from. */
export interface ClassifiedRow {
  readonly row: IntegratedRow;
  readonly bucket: Bucket;
  readonly ruleId: string;
  readonly file: number;
  readonly cells: readonly (string | null)[];
}

/** What a phase left behind. `fingerprint` names the input that it was made from. */
export interface PhaseResult {
  readonly fingerprint: string;
  readonly finishedAt: string;
  readonly result: CLSPipelineResult;
}

/**
 * Results of integrate and classify, beside the stored report of the same root. A phase replaces its tables and its record in
 * one transaction, so what is found is always the whole result of one run. `rank` numbers the candidates of a daily row.
 */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS phase_results (
    phase TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, finished_at TEXT NOT NULL, result TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS daily_headers (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, names TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS daily_cells (
    idx INTEGER PRIMARY KEY, file INTEGER NOT NULL, cells TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS integrated (
    idx INTEGER NOT NULL, rank INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (idx, rank)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS classified (
    idx INTEGER NOT NULL, rank INTEGER NOT NULL, bucket TEXT NOT NULL, rule_id TEXT NOT NULL,
    PRIMARY KEY (idx, rank)
  ) STRICT, WITHOUT ROWID;
`;

/** Makes the tables of the phases in a store that has none. */
export function preparePhaseTables({ db }: ClsStore): void {
  db.exec(SCHEMA);
}

/** Whether any phase was begun on this store; reading results needs the tables. */
export function hasPhaseTables({ db }: ClsStore): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'phase_results'").get() !== undefined;
}

/** The last result of a phase; null when it never ended, or when a later version wrote it in a form that this one does not know. */
export function readPhaseResult({ db }: ClsStore, phase: StoredPhase): PhaseResult | null {
  const line = db
    .prepare("SELECT fingerprint, finished_at, result FROM phase_results WHERE phase = ?")
    .raw()
    .get(phase) as [string, string, string] | undefined;
  if (line === undefined) return null;
  const result = clsPipelineResult.safeParse(JSON.parse(line[2]));
  if (!result.success) return null;
  return { fingerprint: line[0], finishedAt: line[1], result: result.data };
}

/** Call last in the transaction that replaced the phase's rows. */
export function writePhaseResult(
  { db }: ClsStore,
  phase: StoredPhase,
  { fingerprint, finishedAt, result }: PhaseResult,
): void {
  db.prepare("INSERT OR REPLACE INTO phase_results VALUES (?, ?, ?, ?)").run(
    phase,
    fingerprint,
    finishedAt,
    JSON.stringify(result),
  );
}

/** Replaces what integrate left. What classify made of it goes too: it would speak of other rows. */
export function openIntegratedWriter({ db }: ClsStore): {
  addFile(name: string, names: readonly string[]): number;
  addDaily(index: number, file: number, cells: readonly (string | null)[]): void;
  addRow(rank: number, row: IntegratedRow): void;
} {
  db.exec(`
    DELETE FROM phase_results WHERE phase IN ('integrate', 'classify');
    DELETE FROM daily_headers; DELETE FROM daily_cells; DELETE FROM integrated; DELETE FROM classified;
  `);
  const file = db.prepare("INSERT INTO daily_headers (name, names) VALUES (?, ?)");
  const daily = db.prepare("INSERT INTO daily_cells VALUES (?, ?, ?)");
  const row = db.prepare("INSERT INTO integrated VALUES (?, ?, ?)");
  return {
    addFile: (name, names) => Number(file.run(name, JSON.stringify(names)).lastInsertRowid),
    addDaily: (index, fileId, cells) => void daily.run(index, fileId, JSON.stringify(cells)),
    addRow: (rank, body) => void row.run(body.index, rank, JSON.stringify(body)),
  };
}

/** Replaces what classify left. */
export function openClassifiedWriter({ db }: ClsStore): {
  add(index: number, rank: number, bucket: Bucket, ruleId: string): void;
} {
  db.exec("DELETE FROM phase_results WHERE phase = 'classify'; DELETE FROM classified;");
  const insert = db.prepare("INSERT INTO classified VALUES (?, ?, ?, ?)");
  return { add: (index, rank, bucket, ruleId) => void insert.run(index, rank, bucket, ruleId) };
}

/**
 * Integrated rows in pieces of `limit`, in order. A piece is read whole, so that the caller may write between two pieces.
 */
export function* integratedRows(
  { db }: ClsStore,
  limit = 500,
): Generator<readonly { readonly rank: number; readonly row: IntegratedRow }[]> {
  const read = db
    .prepare(
      "SELECT idx, rank, body FROM integrated WHERE (idx, rank) > (?, ?) ORDER BY idx, rank LIMIT ?",
    )
    .raw();
  let at: readonly [number, number] = [-1, -1];
  for (;;) {
    const lines = read.all(...at, limit) as [number, number, string][];
    const last = lines.at(-1);
    if (last === undefined) return;
    at = [last[0], last[1]];
    yield lines.map(([, rank, body]) => ({ rank, row: JSON.parse(body) as IntegratedRow }));
  }
}

/** The daily files in the order they were read. */
export function dailyFiles({ db }: ClsStore): DailyFile[] {
  const lines = db.prepare("SELECT id, name, names FROM daily_headers ORDER BY id").raw().all();
  return (lines as [number, string, string][]).map(([id, name, names]) => ({
    id,
    name,
    names: JSON.parse(names) as string[],
  }));
}

type ClassifiedLine = [body: string, bucket: Bucket, ruleId: string, file: number, cells: string];

/** Classified rows in order, all or those of one bucket, read as they are asked for. */
export function* classifiedRows({ db }: ClsStore, bucket?: Bucket): Generator<ClassifiedRow> {
  const lines = db
    .prepare(
      `SELECT i.body, c.bucket, c.rule_id, d.file, d.cells
       FROM classified c JOIN integrated i ON i.idx = c.idx AND i.rank = c.rank
       JOIN daily_cells d ON d.idx = c.idx
       WHERE @bucket IS NULL OR c.bucket = @bucket ORDER BY c.idx, c.rank`,
    )
    .raw()
    .iterate({ bucket: bucket ?? null }) as IterableIterator<ClassifiedLine>;
  for (const [body, rowBucket, ruleId, file, cells] of lines) {
    yield {
      row: JSON.parse(body) as IntegratedRow,
      bucket: rowBucket,
      ruleId,
      file,
      cells: JSON.parse(cells) as (string | null)[],
    };
  }
}

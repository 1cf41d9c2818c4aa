import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { AppError, describe } from "../../../shared/errors.ts";
import { type ReportHeader, reportHeader } from "./columns.ts";
import { MIGRATIONS } from "./store-schema.ts";
import { parseDay, parseWhole } from "./values.ts";

/** What became of one row of an increment. */
export const ROW_EVENTS = [
  "new",
  "updated",
  "updated_same",
  "older",
  "conflict",
  "review",
  "filtered",
] as const;
export type RowEvent = (typeof ROW_EVENTS)[number];

/** An open store of one root. One process writes it at a time (`lockRoot`); readers need no lock. */
export interface ClsStore {
  readonly db: Database.Database;
  /** The database file; empty for a store that only lives as long as it is open. */
  readonly path: string;
  close(): void;
}

/** A stored row with the fields that look-ups use. Days are ISO days, money is integer ten-thousandths. */
export interface BaselineRow {
  readonly rowId: number;
  /** The five parts that identify the row, joined by `|`. */
  readonly key: string;
  readonly item: string | null;
  readonly account: string | null;
  readonly vendor: string | null;
  readonly vendorName: string | null;
  readonly vendorSequence: number | null;
  readonly vendorCatalogue: string | null;
  readonly manufacturerCatalogue: string | null;
  readonly description: string | null;
  readonly contractNumber: string | null;
  /** As the file has it. */
  readonly contractEff: string | null;
  /** Parsed; null when blank or not a day. */
  readonly contractEffDay: string | null;
  readonly contractExp: string | null;
  readonly contractExpDay: string | null;
  readonly price1: number | null;
}

/** One row of an applied increment. `row` is the row of the sheet (the header is 1); `price1` is what the key has after it. */
export interface IncrementEvent {
  readonly file: string;
  readonly row: number;
  readonly key: string;
  readonly event: RowEvent;
  readonly price1: number | null;
}

export interface OpenOptions {
  /** Opens an empty store that disappears when it is closed, for a dry run on a root without one. */
  readonly temporary?: boolean;
}

/** Cells of a stored row are one text; this never occurs in clean cells because reading drops it. */
export const CELL_SEPARATOR = "\u001f";
const HASH_LENGTH = 16;
const CACHE_KIB = 65_536;
const BUSY_MS = 10_000;

/** The name that all files of a root share: `<dataDir>/cls/<hash of the real path>`. The root must exist. */
export function rootBase(dataDir: string, root: string): string {
  const hash = createHash("sha256").update(realRoot(root)).digest("hex").slice(0, HASH_LENGTH);
  return join(dataDir, "cls", hash);
}

function realRoot(root: string): string {
  try {
    return realpathSync(root);
  } catch (error) {
    throw new AppError("cls-folder-missing", { path: root, what: "such folder" }, error);
  }
}

/** Where the store of a root lies, whether it exists or not. */
export function storePathOf(dataDir: string, root: string): string {
  return `${rootBase(dataDir, root)}.db`;
}

/** True when something was stored for this root before. */
export function clsStoreExists(dataDir: string, root: string): boolean {
  return existsSync(storePathOf(dataDir, root));
}

/** Opens the store of a root, creating or migrating it. Fails with `cls-folder-missing` or `cls-store-unusable`. */
export function openClsStore(dataDir: string, root: string, options: OpenOptions = {}): ClsStore {
  const path = options.temporary === true ? "" : storePathOf(dataDir, root);
  if (path !== "") mkdirSync(join(dataDir, "cls"), { recursive: true });
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: BUSY_MS });
    prepareConnection(db);
    migrate(db, path);
  } catch (error) {
    db?.close();
    if (error instanceof AppError) throw error;
    throw new AppError("cls-store-unusable", { file: path, what: describe(error) }, error);
  }
  const open = db;
  return { db: open, path, close: () => open.close() };
}

function prepareConnection(db: Database.Database): void {
  // Updates are spread over the file: a small page is less to write for each. It only takes effect on a new file.
  db.pragma("page_size = 4096");
  db.pragma("journal_mode = WAL");
  // A file may be archived after its commit, so a commit must reach the disk.
  db.pragma("synchronous = FULL");
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma("temp_store = FILE");
}

function migrate(db: Database.Database, path: string): void {
  const version = (): number => Number(db.pragma("user_version", { simple: true }));
  const found = version();
  if (found > MIGRATIONS.length) {
    const what = `it has schema ${found}, this version knows ${MIGRATIONS.length}`;
    throw new AppError("cls-store-unusable", { file: path, what });
  }
  if (found === MIGRATIONS.length) return;
  db.transaction(() => {
    // Read again inside the transaction: another process may have migrated meanwhile.
    for (let next = version(); next < MIGRATIONS.length; next += 1) {
      db.exec(MIGRATIONS[next] ?? "");
      db.pragma(`user_version = ${next + 1}`);
    }
    const put = db.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES (?, ?)");
    put.run("store_id", randomUUID());
    put.run("rows_version", "0");
  }).immediate();
}

/** A text that changes whenever the stored rows change, and differs between stores. */
export function storeVersion(store: ClsStore): string {
  return `${readMeta(store, "store_id")}:${readMeta(store, "rows_version")}`;
}

function readMeta(store: ClsStore, name: string): string {
  const value = store.db.prepare("SELECT value FROM meta WHERE name = ?").pluck().get(name);
  return typeof value === "string" ? value : "";
}

/** Call inside every transaction that changes rows. */
export function bumpVersion(store: ClsStore): void {
  store.db
    .prepare("UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE name = 'rows_version'")
    .run();
}

/** Rows in the store. */
export function countRows(store: ClsStore): number {
  return Number(store.db.prepare("SELECT COUNT(*) FROM rows").pluck().get());
}

/** A function that gives the header of a layout id; each is read once. */
export function layoutReader(store: ClsStore): (id: number) => ReportHeader {
  const known = new Map<number, ReportHeader>();
  const read = store.db.prepare("SELECT names FROM layouts WHERE id = ?").pluck();
  return (id) => {
    let header = known.get(id);
    if (header === undefined) {
      header = reportHeader(JSON.parse(String(read.get(id))) as string[]);
      known.set(id, header);
    }
    return header;
  };
}

/** The id of a header, stored at first use. */
export function layoutId(store: ClsStore, names: readonly string[]): number {
  const text = JSON.stringify(names);
  store.db.prepare("INSERT OR IGNORE INTO layouts (names) VALUES (?)").run(text);
  return Number(store.db.prepare("SELECT id FROM layouts WHERE names = ?").pluck().get(text));
}

/** Clean cells as the one text that is stored. */
export function packCells(cells: readonly (string | null)[]): string {
  return cells.join(CELL_SEPARATOR);
}

/** The cells of a stored text; blank is null. */
export function unpackCells(text: string): (string | null)[] {
  return text.split(CELL_SEPARATOR).map((cell) => (cell === "" ? null : cell));
}

type StoredLine = [id: number, key: string, layout: number, price1: number | null, cells: string];

/**
 * Every stored row in the order of its id, read as it is asked for. Do not write through the same connection meanwhile.
 */
export function* baselineRows(store: ClsStore): Generator<BaselineRow> {
  const headerOf = layoutReader(store);
  const lines = store.db
    .prepare("SELECT id, key, layout, price1, cells FROM rows ORDER BY id")
    .raw()
    .iterate() as IterableIterator<StoredLine>;
  for (const [rowId, key, layout, price1, text] of lines) {
    const { at } = headerOf(layout);
    const cells = text.split(CELL_SEPARATOR);
    const cell = (index: number): string | null => cells[index] || null;
    const contractEff = cell(at.contractEff);
    const contractExp = cell(at.contractExp);
    yield {
      rowId,
      key,
      item: cell(at.item),
      account: cell(at.account),
      vendor: cell(at.vendor),
      vendorName: cell(at.vendorName),
      vendorSequence: parseWhole(cell(at.vendorSequence)),
      vendorCatalogue: cell(at.vendorCatalogue),
      manufacturerCatalogue: cell(at.manufacturerCatalogue),
      description: cell(at.description),
      contractNumber: cell(at.contractNumber),
      contractEff,
      contractEffDay: parseDay(contractEff),
      contractExp,
      contractExpDay: parseDay(contractExp),
      price1,
    };
  }
}

type EventLine = [file: string, row: number, key: string, event: RowEvent, price1: number | null];

/** Every row of the applied increments: files in the order of their day, rows in the order of the file. */
export function* incrementEvents(store: ClsStore): Generator<IncrementEvent> {
  const files = store.db
    .prepare(
      "SELECT id FROM files WHERE kind = 'increment' AND state = 'applied' ORDER BY day, name, id",
    )
    .pluck()
    .all() as number[];
  const lines = store.db
    .prepare(
      "SELECT f.name, e.row, e.key, e.event, e.price1 FROM events e JOIN files f ON f.id = e.file WHERE e.file = ? ORDER BY e.row",
    )
    .raw();
  for (const id of files) {
    for (const [file, row, key, event, price1] of lines.iterate(
      id,
    ) as IterableIterator<EventLine>) {
      yield { file, row, key, event, price1 };
    }
  }
}

/** The table of stored rows; a full file gets a new one, so that the former rows stay until the file is sure. */
export const ROWS_TABLE = `
  CREATE TABLE rows (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    day TEXT,
    price1 INTEGER,
    file INTEGER NOT NULL,
    row INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    vendor TEXT,
    contract TEXT,
    catalogue TEXT,
    cells TEXT NOT NULL
  ) STRICT;
`;

/** Made after a full file was loaded, which is faster than keeping them meanwhile. */
export const ROWS_INDEXES: readonly string[] = [
  "CREATE INDEX rows_key ON rows (key, catalogue);",
  "CREATE INDEX rows_contract ON rows (contract, vendor) WHERE contract IS NOT NULL;",
];

/**
 * The schema of a CLS store, one text per version, forward only. The version is set in the same transaction as its text.
 *
 * - `layouts`: headers; the cells of a row are one text in the order of its layout, which is far faster than a column each.
 * - `files`: what was applied, by content (sha256), in the order of `id`. `superseded`: a later full file replaced all rows.
 *   `undone_by` is the task that took it back.
 * - `rows`: the stored report. `day` is the Item Update Date, `price1` ten-thousandths, `contract` null when there is none.
 * - `events`: what became of each increment row. `changes`: its differences as [column, old, new, onlyWriting] lists.
 * - `replaced`: rows as they were before a file replaced them, for undoing it.
 * - `pending`: conflicting rows and rows for review, with what was decided.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE layouts (id INTEGER PRIMARY KEY, names TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, finished_at TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('full', 'increment')),
    day TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('applied', 'superseded', 'undone')),
    superseded_by INTEGER REFERENCES files (id),
    run_id TEXT NOT NULL,
    applied_at TEXT NOT NULL,
    counts TEXT NOT NULL,
    warnings TEXT NOT NULL,
    undoable INTEGER NOT NULL DEFAULT 1,
    archived_at TEXT,
    archived_to TEXT
  ) STRICT;
  CREATE INDEX files_sha256 ON files (sha256);
  ${ROWS_TABLE}
  ${ROWS_INDEXES.join("\n  ")}
  CREATE TABLE events (
    file INTEGER NOT NULL,
    row INTEGER NOT NULL,
    key TEXT NOT NULL,
    event TEXT NOT NULL,
    price1 INTEGER,
    PRIMARY KEY (file, row)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE changes (
    file INTEGER NOT NULL,
    row INTEGER NOT NULL,
    key TEXT NOT NULL,
    day TEXT,
    fields TEXT NOT NULL,
    PRIMARY KEY (file, row)
  ) STRICT, WITHOUT ROWID;
  CREATE VIEW change_log AS
    SELECT c.key AS key, f.value ->> 0 AS field, f.value ->> 1 AS old, f.value ->> 2 AS new,
           n.name AS file, c.row AS row, c.day AS date, f.value ->> 3 AS only_writing, n.id AS file_id
    FROM changes c JOIN files n ON n.id = c.file, json_each(c.fields) f;
  CREATE TABLE replaced (
    id INTEGER PRIMARY KEY,
    by_file INTEGER NOT NULL,
    by_row INTEGER NOT NULL,
    row_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    day TEXT,
    price1 INTEGER,
    file INTEGER NOT NULL,
    row INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    vendor TEXT,
    contract TEXT,
    catalogue TEXT,
    cells TEXT NOT NULL
  ) STRICT;
  CREATE INDEX replaced_by_file ON replaced (by_file);
  CREATE INDEX replaced_key ON replaced (key);
  CREATE TABLE pending (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    file INTEGER NOT NULL,
    row INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('conflict', 'review')),
    key TEXT NOT NULL,
    day TEXT,
    layout INTEGER NOT NULL,
    cells TEXT NOT NULL,
    differences TEXT NOT NULL,
    decision TEXT CHECK (decision IN ('keep', 'take')),
    decided_by TEXT,
    decided_at TEXT
  ) STRICT;
  CREATE INDEX pending_file ON pending (file);
  `,
  `
  ALTER TABLE files ADD COLUMN undone_at TEXT;
  ALTER TABLE files ADD COLUMN undone_by TEXT;
  ALTER TABLE files ADD COLUMN undone_reason TEXT;
  ALTER TABLE files ADD COLUMN undone_result TEXT;
  `,
];

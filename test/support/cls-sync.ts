import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CLSPipelineResult,
  type ClsContext,
  type ClsParamsInput,
  clsParams,
} from "../../daemon/pipelines/cls/params.ts";
import {
  type ClsStore,
  incrementEvents,
  openClsStore,
  unpackCells,
} from "../../daemon/pipelines/cls/store.ts";
import { runSync } from "../../daemon/pipelines/cls/sync.ts";
import { aClsContext, type Cells, writeTable } from "./cls-root.ts";

/** The name of an increment of a day written `2025_11_19`. */
export function incrementName(day: string): string {
  return `0031-Contract Item Price Cat Pkg Extract ${day}.xlsx`;
}

/** A root and a data directory of their own, with the few verbs that tests of sync need. */
export interface SyncBench {
  readonly root: string;
  readonly data: string;
  report(name: string): string;
  put(name: string, rows: readonly Cells[]): Promise<void>;
  /** Each is a run of its own, unless the context names it. */
  sync(params?: Partial<ClsParamsInput>, ctx?: Partial<ClsContext>): Promise<CLSPipelineResult>;
  store(): ClsStore;
  /** `[row, event]` of every increment row in order. */
  events(): [row: number, event: string][];
  /** The stored prices of a key, as text, in the order of the rows. */
  prices(key: string): string[];
  remove(): Promise<void>;
}

export async function aSyncBench(): Promise<SyncBench> {
  const base = await mkdtemp(join(tmpdir(), "cls-sync-"));
  const root = join(base, "root");
  const data = join(base, "data");
  await mkdir(join(root, "reports", "0031"), { recursive: true });
  await mkdir(join(root, "ref_files"), { recursive: true });
  await writeTable(join(root, "ref_files", "Blank Vpn Permitted.xlsx"), [
    { "PMM Item Number": "permitted" },
  ]);
  const opened: ClsStore[] = [];
  let runs = 0;
  const report = (name: string): string => join(root, "reports", "0031", name);
  const bench: SyncBench = {
    root,
    data,
    report,
    put: (name, rows) => writeTable(report(name), rows),
    sync: (params, ctx) => {
      runs += 1;
      const context = aClsContext(data, { runId: `run-${runs}`, ...ctx });
      return runSync(clsParams.parse({ root, ...params }), context);
    },
    store: () => {
      const store = openClsStore(data, root);
      opened.push(store);
      return store;
    },
    events: () => [...incrementEvents(bench.store())].map(({ row, event }) => [row, event]),
    prices: (key) => {
      const { db } = bench.store();
      const rows = db
        .prepare(
          "SELECT r.cells AS cells, l.names AS names FROM rows r JOIN layouts l ON l.id = r.layout WHERE key = ? ORDER BY r.id",
        )
        .all(key) as { cells: string; names: string }[];
      return rows.map(({ cells, names }) => {
        const at = (JSON.parse(names) as string[]).indexOf("Price1");
        return unpackCells(cells)[at] ?? "";
      });
    },
    remove: async () => {
      for (const store of opened) store.close();
      await rm(base, { recursive: true, force: true });
    },
  };
  return bench;
}

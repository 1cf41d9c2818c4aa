import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storedFiles } from "../../../../../daemon/pipelines/cls/file-store.ts";
import { type CLSPipelineResult, clsParams } from "../../../../../daemon/pipelines/cls/params.ts";
import {
  type ClsStore,
  incrementEvents,
  openClsStore,
} from "../../../../../daemon/pipelines/cls/store.ts";
import { runSync } from "../../../../../daemon/pipelines/cls/sync.ts";
import { parseMoney } from "../../../../../daemon/pipelines/cls/values.ts";
import { aClsContext } from "../../../../support/cls-root.ts";
import {
  type ClsSample,
  eventLine,
  expectedEvents,
  findClsSample,
  type SampleKey,
} from "../../../../support/cls-sample.ts";

const sample = findClsSample("sync against the sample's answer key");

describe.skipIf(sample === null)("sync of the sample of report 0031", () => {
  let work: string;
  let key: SampleKey;
  let result: CLSPipelineResult;
  let store: ClsStore;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "cls-sync-key-"));
    const { root, key: readKey } = sample as ClsSample;
    key = await readKey();
    result = await runSync(clsParams.parse({ root }), aClsContext(work));
    store = openClsStore(work, root);
  });
  afterAll(async () => {
    store?.close();
    if (work !== undefined) await rm(work, { recursive: true, force: true });
  });

  test("the full file gives the key's number of rows and of duplicates", () => {
    expect(result.files?.[0]).toMatchObject({
      status: "applied",
      rowsNew: key.baseline.rowsLoaded,
    });
    expect(result.duplicateKeys).toBe(key.baseline.duplicateKeys);
  });

  test("the totals are those of the key", () => {
    expect(result.keysNew).toBe(key.incrementals.newKeys);
    expect(result.keysUpdated).toBe(key.incrementals.updatedKeys);
    expect(result.rowsUpdated).toBe(372);
    expect(result.finalRows).toBe(key.incrementals.finalRows);
  });

  test("every row of every increment has the event of the key", () => {
    const found = [...incrementEvents(store)].map((row) => eventLine(row.file, row.key, row.event));
    expect(found.length).toBe(549);
    expect(found.sort()).toEqual(expectedEvents(key));
  });

  test("a key that three files touch ends with the price of the last", () => {
    const priceOf = store.db.prepare("SELECT price1 FROM rows WHERE key = ?").pluck();
    expect(key.incrementals.multi.length).toBeGreaterThan(0);
    for (const { key: of, finalPrice1 } of key.incrementals.multi) {
      expect(priceOf.all(of), of).toEqual([parseMoney(finalPrice1)]);
    }
  });

  test("the file that is no workbook fails alone and is not recorded as applied", () => {
    const bad = result.files?.find(({ name }) => name.includes("2025_11_22"));
    expect(bad?.status).toBe("failed");
    expect(result.warnings.some((text) => text.includes("2025_11_22"))).toBe(true);
    expect(
      storedFiles(store).map(({ name, archivedAt }) => [name.slice(-15), archivedAt !== null]),
    ).toEqual([
      ["xtract 1108.xlsx".slice(-15), true],
      ["2025_11_19.xlsx", true],
      ["2025_11_20.xlsx", true],
      ["2025_11_21.xlsx", true],
    ]);
  });
});

import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storedFiles } from "../../../daemon/pipelines/cls/file-store.ts";
import { readManifest } from "../../../daemon/pipelines/cls/manifest.ts";
import type { CLSPipelineResult } from "../../../daemon/pipelines/cls/params.ts";
import { type IncrementEvent, openClsStore } from "../../../daemon/pipelines/cls/store.ts";
import { parseMoney } from "../../../daemon/pipelines/cls/values.ts";
import { type CliEnd, cli } from "../../support/cli.ts";
import {
  type ClsSample,
  comparedRow,
  eventLine,
  expectedEvents,
  expectedRows,
  findClsSample,
  readNdjson,
  type SampleKey,
} from "../../support/cls-sample.ts";

const sample = findClsSample("the comparison of a whole run by the CLI with the sample's answers");

interface RunResult {
  readonly runId: string;
  readonly status: string;
  readonly phases: Readonly<
    Record<"sync" | "integrate" | "classify" | "export", CLSPipelineResult>
  >;
  readonly warnings: number;
}

describe.skipIf(sample === null)("`msgsys run cls_all` on the sample of report 0031", () => {
  let work: string;
  let data: string;
  let out: string;
  let root: string;
  let key: SampleKey;
  let end: CliEnd;
  let result: RunResult;
  let inputsBefore: string[];

  beforeAll(async () => {
    const { root: folder, key: readKey } = sample as ClsSample;
    root = folder;
    work = mkdtempSync(join(tmpdir(), "cls-sample-"));
    data = join(work, "data");
    out = join(work, "out");
    key = await readKey();
    inputsBefore = inputsOf(root);
    end = await cli([
      "--data",
      data,
      "run",
      "cls_all",
      "--root",
      root,
      "--out",
      out,
      "--wait",
      "--json",
    ]);
    result = JSON.parse(end.out) as RunResult;
  });
  afterAll(async () => {
    if (data !== undefined) await cli(["--data", data, "down"]);
    if (work !== undefined) rmSync(work, { recursive: true, force: true });
  });

  test("completes with warnings and exit code 0 although one file is no workbook", () => {
    expect(end.code, end.err).toBe(0);
    expect(result).toMatchObject({ status: "completed", runId: expect.any(String) });
    expect(result.warnings).toBeGreaterThan(0);
    expect(Object.keys(result.phases)).toEqual(["sync", "integrate", "classify", "export"]);
  });

  test("has the totals of the key", () => {
    const { sync, integrate } = result.phases;
    const { baseline, incrementals } = key;
    expect(sync).toMatchObject({
      finalRows: incrementals.finalRows,
      keysNew: incrementals.newKeys,
      keysUpdated: incrementals.updatedKeys,
      duplicateKeys: baseline.duplicateKeys,
    });
    expect(sync.files?.[0]).toMatchObject({ status: "applied", rowsNew: baseline.rowsLoaded });
    expect(integrate).toMatchObject({ rowsIn: key.daily.rows, rowsLookup: key.lookupRows });
    for (const [day, rows] of Object.entries(incrementals.files)) {
      const file = sync.files?.find(({ name }) => name.includes(day));
      const { rowsNew, rowsUpdated, rowsSkipped, rowsConflict, rowsReview, rowsFiltered } = file!;
      expect(
        rowsNew + rowsUpdated + rowsSkipped + rowsConflict + rowsReview + rowsFiltered,
        day,
      ).toBe(rows);
    }
  });

  test("tells the event of every increment row as the key has it, in the order of the rows", async () => {
    const changes = await readNdjson<IncrementEvent>(join(out, "changes.ndjson"));
    const lines = changes.map(({ file, key: of, event }) => eventLine(file, of, event));
    expect(lines.toSorted()).toEqual(expectedEvents(key));
    expect(changes.map(({ file, key: of }) => eventLine(file, of, ""))).toEqual(
      key.events
        .toSorted((a, b) => a.file.localeCompare(b.file))
        .map(({ file, key: of }) => eventLine(file, of, "")),
    );
  });

  test("ends keys that three files touch with the price of the last", async () => {
    const changes = await readNdjson<{ key: string; price1: string | null }>(
      join(out, "changes.ndjson"),
    );
    const store = openClsStore(data, root);
    try {
      const prices = store.db.prepare("SELECT price1 FROM rows WHERE key = ?").pluck();
      expect(key.incrementals.multi.length).toBeGreaterThan(0);
      for (const { key: of, finalPrice1 } of key.incrementals.multi) {
        expect(prices.all(of), of).toEqual([parseMoney(finalPrice1)]);
        expect(changes.findLast((change) => change.key === of)?.price1, of).toBe(finalPrice1);
      }
    } finally {
      store.close();
    }
  });

  test("reports the broken file, archives it nowhere and leaves every input as it was", () => {
    const broken = result.phases.sync.files?.filter(({ status }) => status === "failed");
    expect(broken).toHaveLength(1);
    expect(broken?.[0]).toMatchObject({
      name: expect.stringContaining("2025_11_22"),
      reason: expect.stringContaining("cannot be read"),
    });
    expect(result.phases.sync.warnings.join("\n")).toContain("2025_11_22");
    const store = openClsStore(data, root);
    try {
      const known = storedFiles(store).map(({ name, archivedAt }) => [name, archivedAt !== null]);
      expect(known).toEqual(
        result.phases.sync.files
          ?.filter(({ status }) => status === "applied")
          .map(({ name }) => [name, true]),
      );
      expect(known).toHaveLength(4);
    } finally {
      store.close();
    }
    expect(inputsOf(root)).toEqual(inputsBefore);
  });

  test("gives every daily row the candidates, checks, price, suggestions and bucket of the key", async () => {
    const rows = await readNdjson<Parameters<typeof comparedRow>[0]>(join(out, "rows.ndjson"));
    expect(rows.map(comparedRow)).toEqual(expectedRows(key));
  });

  test("exports as many rows of each bucket as the key has", async () => {
    const manifest = await readManifest(out);
    const wanted: Record<string, number> = {};
    for (const { bucket } of expectedRows(key)) wanted[bucket!] = (wanted[bucket!] ?? 0) + 1;
    expect(manifest?.buckets).toEqual(wanted);
    for (const [bucket, rows] of Object.entries(wanted))
      expect(manifest?.files.find(({ name }) => name === `${bucket}.csv`)?.rows).toBe(rows);
    expect(manifest?.runId).toBe(result.runId);
  });
});

/** Name, size and time of every file below. */
function inputsOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => [name, statSync(join(folder, name))] as const)
    .filter(([, stats]) => stats.isFile())
    .map(([name, { size, mtimeMs }]) => `${name} ${size} ${mtimeMs}`)
    .sort();
}

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runClassify } from "../../../../../daemon/pipelines/cls/classify.ts";
import { runExport } from "../../../../../daemon/pipelines/cls/export.ts";
import { runIntegrate } from "../../../../../daemon/pipelines/cls/integrate.ts";
import { type CLSPipelineResult, clsParams } from "../../../../../daemon/pipelines/cls/params.ts";
import { runSync } from "../../../../../daemon/pipelines/cls/sync.ts";
import { aClsContext } from "../../../../support/cls-root.ts";
import {
  type ClsSample,
  comparedRow,
  expectedRows,
  findClsSample,
  readNdjson,
  type SampleKey,
} from "../../../../support/cls-sample.ts";

const sample = findClsSample("the comparison of the phases with the sample's answer key");

describe.skipIf(sample === null)("the sample of report 0031", () => {
  let work: string;
  let key: SampleKey;
  let integrated: CLSPipelineResult;
  let exported: CLSPipelineResult;

  beforeAll(async () => {
    const { root, key: readKey } = sample as ClsSample;
    work = await mkdtemp(join(tmpdir(), "cls-key-"));
    key = await readKey();
    const params = clsParams.parse({ root, out: join(work, "out") });
    const ctx = aClsContext(work);
    await runSync(params, ctx);
    integrated = await runIntegrate(params, ctx);
    await runClassify(params, ctx);
    exported = await runExport(params, ctx);
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  test("has as many look-up rows as the key says", () => {
    expect(integrated).toMatchObject({
      rowsIn: key.daily.rows,
      rowsLookup: key.lookupRows,
      warnings: [],
    });
  });

  test("the phases called one by one give every daily row what the key says", async () => {
    const rows = await readNdjson<Parameters<typeof comparedRow>[0]>(
      join(work, "out", "rows.ndjson"),
    );
    expect(rows.map(comparedRow)).toEqual(expectedRows(key));
  });

  test("is exported with one change line per increment row and the days in the workbook's name", async () => {
    const changes = await readNdjson<{ key: string }>(join(work, "out", "changes.ndjson"));
    expect(changes.map((change) => change.key).sort()).toEqual(
      key.events.map((event) => event.key).sort(),
    );
    expect(exported.artifacts.map(({ path }) => path)).toContain(
      join(work, "out", "ExportFile_2025-11-19~2025-11-21.xlsx"),
    );
  });
});

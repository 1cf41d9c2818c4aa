import { spawnSync } from "node:child_process";
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runExport } from "../../../../../daemon/pipelines/cls/export.ts";
import { sha256OfFile } from "../../../../../daemon/pipelines/cls/inputs.ts";
import { type ClsParamsInput, clsParams } from "../../../../../daemon/pipelines/cls/params.ts";
import { runSync } from "../../../../../daemon/pipelines/cls/sync.ts";
import {
  exportHashes,
  runAfterSync,
  runAllPhases,
  SMALL_ROOT,
} from "../../../../support/cls-phases.ts";
import { aClsContext, aDailyRow, writeClsRoot, writeTable } from "../../../../support/cls-root.ts";

const CHILD = fileURLToPath(new URL("../../../../support/cls-child.ts", import.meta.url));
const WORKBOOK = "ExportFile_2025-11-20~2025-11-20.xlsx";
const FILES = [
  ...[WORKBOOK, "changes.ndjson", "contract_link.csv", "create.csv"],
  ...["manifest.json", "rows.ndjson", "update.csv", "vendor_link.csv"],
];

describe("the export", () => {
  let work: string;
  let data: string;
  let out: string;
  let input: ClsParamsInput;
  const exportAgain = (given: Partial<ClsParamsInput> = {}, runId = "run-2") =>
    runExport(clsParams.parse({ ...input, ...given }), aClsContext(data, { runId }));
  const runOf = async (folder: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")).runId;
  const besides = async (): Promise<string[]> => (await readdir(work)).sort();

  beforeEach(async () => {
    work = await mkdtemp(join(tmpdir(), "cls-export-"));
    data = join(work, "data");
    out = join(work, "out");
    input = { root: join(work, "root"), out };
    await writeClsRoot(join(work, "root"), SMALL_ROOT);
    await runAllPhases(input, aClsContext(data));
  });
  afterEach(() => rm(work, { recursive: true, force: true }));

  test("has a file per bucket, a workbook, the changes, the rows and a manifest that describes them", async () => {
    expect((await readdir(out)).sort()).toEqual(FILES);
    const manifest = JSON.parse(await readFile(join(out, "manifest.json"), "utf8")) as {
      files: { name: string; rows: number; bytes: number; sha256: string }[];
    };
    expect(manifest).toMatchObject({
      runId: "run-1",
      rulesSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      buckets: { create: 1, vendor_link: 1, contract_link: 1, update: 1 },
    });
    expect(manifest.files.map(({ name }) => name).sort()).toEqual(
      FILES.filter((name) => name !== "manifest.json"),
    );
    for (const { name, bytes, sha256 } of manifest.files) {
      expect((await stat(join(out, name))).size).toBe(bytes);
      expect(await sha256OfFile(join(out, name))).toBe(sha256);
    }
    const rows = Object.fromEntries(manifest.files.map((file) => [file.name, file.rows]));
    expect(rows).toMatchObject({
      "create.csv": 1,
      "rows.ndjson": 4,
      "changes.ndjson": 1,
      [WORKBOOK]: 4,
    });
  });

  test("tells each increment row with its event and the price it left", async () => {
    expect(JSON.parse(await readFile(join(out, "changes.ndjson"), "utf8"))).toEqual({
      file: "0031-Contract Item Price Cat Pkg Extract 2025_11_19.xlsx",
      row: 2,
      key: "1|0101|V1||",
      event: "updated",
      price1: "13.00",
    });
  });

  test("gives equal bytes when the same input is processed again, here or in a new store", async () => {
    const first = await exportHashes(out);
    await runAllPhases({ ...input, fresh: true }, aClsContext(data, { runId: "run-2" }));
    expect(await exportHashes(out)).toEqual(first);
    const elsewhere = join(work, "out2");
    await runAllPhases({ ...input, out: elsewhere }, aClsContext(join(work, "data2")));
    expect(await exportHashes(elsewhere)).toEqual(first);
  });

  test("keeps the former export as previous, and only the last one", async () => {
    await exportAgain();
    expect(await besides()).toEqual(["data", "out", "out.previous", "root"]);
    expect([await runOf(out), await runOf(`${out}.previous`)]).toEqual(["run-2", "run-1"]);
    await exportAgain({}, "run-3");
    expect(await runOf(`${out}.previous`)).toBe("run-2");
    expect(await besides()).toEqual(["data", "out", "out.previous", "root"]);
  });

  test("is not written twice by one run whose worker was lost after it, so that the former one stays", async () => {
    const first = await exportAgain();
    const repeated = await exportAgain();
    expect(repeated.artifacts).toEqual(first.artifacts);
    expect([await runOf(out), await runOf(`${out}.previous`)]).toEqual(["run-2", "run-1"]);
    const whole = await exportHashes(out);
    await writeFile(join(out, "update.csv"), "cut short");
    await exportAgain();
    expect(await exportHashes(out)).toEqual(whole);
  });

  test.each([
    ["other files", async (at: string) => writeFile(join(at, "notes.txt"), "mine"), /notes\.txt/],
    [
      "a manifest of something else",
      async (at: string) => writeFile(join(at, "manifest.json"), '{"files":[]}'),
      /manifest\.json/,
    ],
    ["a folder", async (at: string) => mkdir(join(at, "sub")), /sub/],
  ])("refuses an output folder with %s and leaves it alone", async (_, fill, what) => {
    const other = join(work, "other");
    await mkdir(other);
    await fill(other);
    const before = await readdir(other);
    await expect(exportAgain({ out: other })).rejects.toMatchObject({
      code: "cls-output-occupied",
      message: expect.stringMatching(what),
    });
    expect(await readdir(other)).toEqual(before);
    expect(await besides()).toEqual(["data", "other", "out", "root"]);
  });

  test("refuses a former export that somebody put files into, and a file in its place", async () => {
    await writeFile(join(out, "notes.txt"), "mine");
    await expect(exportAgain()).rejects.toMatchObject({ code: "cls-output-occupied" });
    expect(await readFile(join(out, "notes.txt"), "utf8")).toBe("mine");
    await writeFile(join(work, "file"), "mine");
    await expect(exportAgain({ out: join(work, "file") })).rejects.toMatchObject({
      code: "cls-output-occupied",
    });
  });

  test("does not delete a previous folder that is not an export", async () => {
    await mkdir(`${out}.previous`);
    await writeFile(join(`${out}.previous`, "notes.txt"), "mine");
    await expect(exportAgain()).rejects.toMatchObject({ code: "cls-output-occupied" });
    expect(await readFile(join(`${out}.previous`, "notes.txt"), "utf8")).toBe("mine");
  });

  test("takes an empty folder, and one with nothing but a desktop's litter", async () => {
    const other = join(work, "other");
    await mkdir(other);
    await writeFile(join(other, ".DS_Store"), "");
    await exportAgain({ out: other });
    expect((await readdir(other)).sort()).toEqual(FILES);
  });

  test("makes the folders above the output", async () => {
    await exportAgain({ out: join(work, "a", "b") });
    expect((await readdir(join(work, "a", "b"))).sort()).toEqual(FILES);
  });

  test("finds its way when it was killed between its two renames", async () => {
    const first = await exportHashes(out);
    await rename(out, `${out}.previous`);
    await cp(`${out}.previous`, `${out}.partial-1999999999-abc`, { recursive: true });
    await exportAgain();
    expect(await exportHashes(out)).toEqual(first);
    expect(await exportHashes(`${out}.previous`)).toEqual(first);
    expect(await besides()).toEqual(["data", "out", "out.previous", "root"]);
  });

  test("leaves the folder of a living process alone", async () => {
    await mkdir(`${out}.partial-${process.ppid}-abc`);
    await exportAgain();
    expect(await besides()).toContain(`out.partial-${process.ppid}-abc`);
  });

  test("needs an output folder, and writes nothing in a dry run", async () => {
    await expect(exportAgain({ out: undefined })).rejects.toMatchObject({ code: "input-invalid" });
    const result = await exportAgain({ out: join(work, "dry"), dryRun: true });
    expect(result).toMatchObject({ rowsIn: 4, artifacts: [], buckets: { create: 1 } });
    expect(await besides()).toEqual(["data", "out", "root"]);
  });

  test("answers what it wrote, with sizes and hashes", async () => {
    const { artifacts, rowsIn } = await exportAgain();
    expect(rowsIn).toBe(4);
    expect(artifacts.map(({ path }) => path).sort()).toEqual(FILES.map((name) => join(out, name)));
    for (const { path, bytes, sha256 } of artifacts) {
      expect((await stat(path)).size).toBe(bytes);
      expect(await sha256OfFile(path)).toBe(sha256);
    }
  });

  test("writes through a link to the folder that it names", async () => {
    await mkdir(join(work, "real"));
    await symlink(join(work, "real"), join(work, "link"));
    await exportAgain({ out: join(work, "link") });
    expect((await readdir(join(work, "real"))).sort()).toEqual(FILES);
  });

  test("is named undated when no row has a stamp that parses", async () => {
    const daily = join(work, "root", "daily_files", "daily.xlsx");
    await writeTable(daily, [aDailyRow("1", { "Date and Time Stamp": "yesterday" })]);
    await runAfterSync(input, aClsContext(data));
    expect(await readdir(out)).toContain("ExportFile_undated~undated.xlsx");
  });

  test("keeps the columns of all daily files, and its own apart from theirs", async () => {
    const folder = join(work, "root", "daily_files");
    await writeTable(join(folder, "extra.xlsx"), [aDailyRow("1", { Extra: "e", Index: "mine" })]);
    await runAfterSync(input, aClsContext(data));
    const [header = "", ...lines] = (await readFile(join(out, "update.csv"), "utf8")).split("\r\n");
    const names = header.split(",");
    const cells = lines.filter((line) => line !== "").map((line) => line.split(","));
    expect(names).toContain("Index (daily)");
    expect(cells.map((row) => row[names.indexOf("Extra")])).toEqual(["", "e"]);
    expect(cells.map((row) => row[names.indexOf("Index (daily)")])).toEqual(["", "mine"]);
    expect(cells.map((row) => row[names.indexOf("Index")])).toEqual(["1", "5"]);
  });

  test("is whole or absent wherever the phases are killed, and the next run gives the same bytes", async () => {
    const expected = await exportHashes(out);
    for (let killAt = 1; ; killAt += 1) {
      const target = join(work, `killed-${killAt}`, "out");
      const store = join(work, `killed-${killAt}`, "data");
      await runSync(clsParams.parse(input), aClsContext(store));
      const run = (at: number) =>
        spawnSync(process.execPath, [CHILD, String(input.root), target, store, String(at)], {
          encoding: "utf8",
        });
      const killed = run(killAt);
      if (killed.signal === null) {
        expect(killed.stderr).toBe("");
        expect(killAt).toBeGreaterThan(10);
        return;
      }
      expect(killed.signal).toBe("SIGKILL");
      expect(run(0).stderr).toBe("");
      expect(await exportHashes(target)).toEqual(expected);
      expect(await readdir(join(work, `killed-${killAt}`))).toEqual(["data", "out"]);
    }
  }, 180_000);

  test("obeys the signal at every report, leaves nothing behind, and the next run gives the same bytes", async () => {
    const expected = await exportHashes(out);
    const target = join(work, "stopped", "out");
    for (let stopAt = 1; ; stopAt += 1) {
      const abort = new AbortController();
      let reports = 0;
      const progress = (): void => {
        reports += 1;
        if (reports === stopAt) abort.abort(new Error("stopped"));
      };
      const ctx = aClsContext(data, { signal: abort.signal, progress });
      const ended = await runAfterSync({ ...input, out: target, fresh: true }, ctx).then(
        () => null,
        (error: unknown) => error,
      );
      if (ended === null) break;
      expect(ended).toMatchObject({ message: "stopped" });
      expect(await readdir(join(work, "stopped")).catch(() => [])).toEqual([]);
    }
    expect(await exportHashes(target)).toEqual(expected);
  });
});

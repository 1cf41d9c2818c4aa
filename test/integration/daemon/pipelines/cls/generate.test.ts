import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { generateClsRoot } from "../../../../../daemon/pipelines/cls/generate.ts";
import { clsParams } from "../../../../../daemon/pipelines/cls/params.ts";
import {
  incrementEvents,
  openClsStore,
  ROW_EVENTS,
} from "../../../../../daemon/pipelines/cls/store.ts";
import { runSync } from "../../../../../daemon/pipelines/cls/sync.ts";
import { aClsContext } from "../../../../support/cls-root.ts";

const OPTIONS = {
  rows: 1500,
  increments: 2,
  rowsPerIncrement: 400,
  dailyRows: 50,
  withBroken: true,
};

let work: string;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), "cls-generate-"));
});
afterAll(() => rm(work, { recursive: true, force: true }));

test("the same options give the same bytes, another seed gives others", async () => {
  const hashes = async (name: string, seed?: number): Promise<string[]> => {
    const root = join(work, name);
    const files = await generateClsRoot(root, {
      ...OPTIONS,
      ...(seed === undefined ? {} : { seed }),
    });
    return await Promise.all(
      files.map(async (file) => {
        const hash = createHash("sha256")
          .update(await readFile(file))
          .digest("hex");
        return `${relative(root, file)} ${hash}`;
      }),
    );
  };
  const first = await hashes("one");
  expect(await hashes("two")).toEqual(first);
  expect((await hashes("three", 7))[0]).not.toBe(first[0]);
});

test("a generated folder has every event a person must know, and a file that fails", async () => {
  const root = join(work, "all");
  await generateClsRoot(root, OPTIONS);
  const result = await runSync(clsParams.parse({ root }), aClsContext(work));
  expect(result.files?.map(({ status }) => status)).toEqual([
    "applied",
    "applied",
    "applied",
    "failed",
  ]);
  const store = openClsStore(work, root);
  const seen = new Set([...incrementEvents(store)].map(({ event }) => event));
  store.close();
  expect([...seen].sort()).toEqual([...ROW_EVENTS].sort());
});

import { build, type Metafile } from "esbuild";
import { expect, test } from "vitest";
import { ROOT } from "../../support/sources.ts";

/** What a bundle of the extension runs as soon as it is loaded: all but what is imported when it is needed. */
async function loadedAtOnce(): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ["extension/main.ts"],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "cjs",
    external: ["vscode"],
    logLevel: "error",
  });
  return reached(metafile, "extension/main.ts");
}

function reached({ inputs }: Metafile, from: string): readonly string[] {
  const seen = new Set([from]);
  // A set that grows while it is walked is walked to its end.
  for (const path of seen)
    for (const { path: to, kind } of inputs[path]?.imports ?? [])
      if (kind !== "dynamic-import" && to in inputs) seen.add(to);
  return [...seen];
}

test("activation loads no library: NATS and schemas come when they are first needed", async () => {
  const files = await loadedAtOnce();
  expect(files.length).toBeGreaterThan(40);
  expect(files.filter((path) => path.includes("node_modules"))).toEqual([]);
});

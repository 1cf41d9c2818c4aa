import { expect, test } from "vitest";
import { noLog } from "../../../../daemon/log.ts";
import { onPhaseCompleted, type RunsDeps } from "../../../../daemon/pipelines/runs.ts";

/** Whatever the event starts would need more than this: reaching for it fails. */
const deps = { log: noLog } as unknown as RunsDeps;
const run = { id: "r1", pipeline: "theirs", phases: ["a", "b"], phase: "a", params: {}, by: "eve" };

test("a completion event of a pipeline that is not ours starts nothing and is not repeated", async () => {
  expect(await onPhaseCompleted(deps, { run, level: 5, taskId: "t" })).toBe("none");
});

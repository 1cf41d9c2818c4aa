import { existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openLogSink } from "../../../daemon/log-sink.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { until } from "../../support/until.ts";

/** Takes every write as a full disk does. */
const FULL = "/dev/full";

test("lines reach the file in their order, also those that are flushed or closed away", async () => {
  const file = join(tempDir(), "log");
  const sink = openLogSink({
    open: () => openSync(file, "w"),
    isFull: () => false,
    onFailed: () => {},
  });
  sink.write("a\n");
  await until(() => readFileSync(file, "utf8") === "a\n");
  sink.write("b\n");
  await until(() => readFileSync(file, "utf8") === "a\nb\n");
  for (const line of ["c\n", "d\n"]) sink.write(line);
  sink.flush();
  sink.close();
  expect(readFileSync(file, "utf8")).toBe("a\nb\nc\nd\n");
});

test.skipIf(!existsSync(FULL))(
  "on a full disk a flush and a close return, and the failure is told once",
  async () => {
    const failures: string[] = [];
    const sink = openLogSink({
      open: () => openSync(FULL, "a"),
      isFull: () => false,
      onFailed: (why) => failures.push(why),
    });
    for (let n = 0; n < 3; n += 1) {
      sink.write("line\n");
      await until(() => failures.length > 0);
      sink.write("line\n");
      sink.flush();
    }
    sink.close();
    expect(failures).toEqual([expect.stringContaining("ENOSPC")]);
  },
);

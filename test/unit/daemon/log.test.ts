import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createUser } from "@nats-io/nkeys";
import { expect, test } from "vitest";
import { openLogFile } from "../../../daemon/log.ts";
import { tempDir } from "../../support/temp-dir.ts";
import { until } from "../../support/until.ts";

test("each line is one event with its data and the child's bindings, in a file for this user only", async () => {
  const opened = await openLogFile({ dir: tempDir(), level: "info" });
  opened.log.child({ service: "x" }).info("task finished", { taskId: "t1" });
  opened.log.debug("not wanted");
  opened.flush();
  const lines = readFileSync(opened.file, "utf8").trim().split("\n");
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    event: "task finished",
    taskId: "t1",
    service: "x",
  });
  expect(statSync(opened.file).mode & 0o777).toBe(0o600);
  opened.close();
});

test("seeds and passwords never reach the file, wherever they stand", async () => {
  const opened = await openLogFile({ dir: tempDir(), level: "info" });
  const seed = new TextDecoder().decode(createUser().getSeed());
  opened.log.error("odd", { deep: { text: `the seed is ${seed}.` }, url: "nats://me:pass@host:1" });
  opened.flush();
  const text = readFileSync(opened.file, "utf8");
  expect(text).not.toContain(seed);
  expect(text).not.toContain("pass@");
  expect(text).toContain("[secret]@host:1");
  opened.close();
});

test("a new start and a grown file move the former ones on and keep as many as asked", async () => {
  const dir = tempDir();
  for (let start = 0; start < 5; start += 1) {
    const opened = await openLogFile({ dir, level: "info", keep: 2 });
    opened.log.info("started", { start });
    opened.close();
    await until(() => existsSync(opened.file) && readFileSync(opened.file, "utf8").includes("\n"));
  }
  expect(readdirSync(dir).sort()).toEqual(["daemon.log", "daemon.log.1", "daemon.log.2"]);
  expect(readFileSync(`${dir}/daemon.log.1`, "utf8")).toContain('"start":3');

  const opened = await openLogFile({ dir, level: "info", keep: 2, maxBytes: 500 });
  for (let n = 0; n < 20; n += 1) {
    opened.log.info("filled", { n, text: "x".repeat(100) });
    await until(() => readFileSync(opened.file, "utf8") !== "" || n > 0);
  }
  await until(() => readFileSync(`${dir}/daemon.log.1`, "utf8").includes("filled"));
  opened.close();
});

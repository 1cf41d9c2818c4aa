import { afterAll, beforeAll, expect, test } from "vitest";
import type { FollowEvent } from "../../../shared/bus/client.ts";
import { type CliEnd, cliHere, spawnCli } from "../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { type Injector, inject } from "../../support/inject.ts";
import { addPeople, type People } from "../../support/people.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
let broker: Injector;
let people: People;

beforeAll(async () => {
  daemon = await startDaemon();
  broker = await inject(daemon);
  people = await addPeople(daemon.dataDir);
});
afterAll(async () => {
  await people.close();
  await broker.close();
  await daemon.close();
});

const events = (...words: string[]): Promise<CliEnd> =>
  cliHere(["--data", daemon.dataDir, "--json", "events", ...words]);

const parse = (out: string): FollowEvent[] =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as FollowEvent);

async function publish(subject: string, ...data: unknown[]): Promise<number[]> {
  const seqs: number[] = [];
  for (const one of data) seqs.push((await broker.wire.publish(subject, JSON.stringify(one))).seq);
  return seqs;
}

const dataOf = (all: readonly FollowEvent[]): unknown[] =>
  all.map((event) => (event.kind === "domain" ? event.data : null));

test("events that happened before anybody listened are told again, more than a page of them, in order", async () => {
  const numbers = Array.from({ length: 450 }, (_, n) => n);
  const seqs = await publish("events.replay.many", ...numbers);
  const { code, out } = await events(
    "--replay",
    "--subject",
    "events.replay.many",
    "--kind",
    "domain",
  );
  const told = parse(out);
  expect(code).toBe(0);
  expect(dataOf(told)).toEqual(numbers);
  expect(told.map((event) => (event.kind === "domain" ? event.seq : null))).toEqual(seqs);
  const from = String(seqs[440]);
  const late = await events("--replay", "--from", from, "--subject", "events.replay.many");
  expect(dataOf(parse(late.out).filter(({ kind }) => kind === "domain"))).toEqual(
    numbers.slice(440),
  );
});

test("tasks are told with their transitions, as they were heard then", async () => {
  const task = await daemon.client.enqueue("test.work", { file: "/dev/null" });
  await daemon.client.waitResult(task);
  const { out } = await events("--since", "5m", "--replay", "--task", task.id);
  const statuses = parse(out).map((event) => event.kind === "task" && event.status);
  expect(statuses.at(-1)).toBe("completed");
});

test("a time leaves out what was stored before it", async () => {
  const subject = "events.replay.times";
  await publish(subject, "before");
  const { timeMs } = (await broker.wire.last(broker.names.stream.events, subject)) ?? { timeMs: 0 };
  await until(() => Date.now() > timeMs);
  await publish(subject, "after");
  const { out } = await events(
    "--since",
    new Date(timeMs + 1).toISOString(),
    "--replay",
    "--subject",
    subject,
  );
  expect(dataOf(parse(out).filter(({ kind }) => kind === "domain"))).toEqual(["after"]);
});

test("following after a replay misses nothing and repeats nothing while events pour in", async () => {
  const subject = "events.replay.flow";
  await publish(subject, 0, 1, 2);
  const words = [
    "events",
    "--since",
    "5m",
    "--subject",
    subject,
    "--kind",
    "domain",
    "--count",
    "60",
  ];
  const child = spawnCli(["--data", daemon.dataDir, "--json", ...words]);
  let out = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    out += chunk.toString();
  });
  for (let n = 3; n < 60; n += 1) await publish(subject, n);
  await until(
    () => child.exitCode,
    (code) => code !== null,
  );
  expect(dataOf(parse(out))).toEqual(Array.from({ length: 60 }, (_, n) => n));
});

test("an event too large for an answer keeps its place, and those after it are told", async () => {
  const subject = "events.replay.large";
  await publish(subject, 1, "x".repeat(2_000_000), 3);
  const { out } = await events("--replay", "--subject", subject, "--kind", "domain");
  expect(dataOf(parse(out))).toEqual([1, "(too large to be told)", 3]);
});

test("a Viewer may replay, as they may follow", async () => {
  await publish("events.replay.seen", 1);
  const words = ["events", "--replay", "--subject", "events.replay.seen", "--kind", "domain"];
  const end = await cliHere(["--data", daemon.dataDir, "--user", "vie", "--json", ...words]);
  expect([end.code, dataOf(parse(end.out))]).toEqual([0, [1]]);
});

test.each([
  [["--since", "5m", "--from", "3"], "either --since or --from"],
  [["--replay", "--follow"], "leave it out to follow"],
  [["--from", "3", "--kind", "task"], "which has no tasks"],
  [["--since", "12"], "--from for a sequence"],
  [["--since", "yesterday"], "is no date and time"],
])("%s is refused with what to do instead", async (words, what) => {
  const end = await events(...words);
  expect([end.code, end.err]).toEqual([2, expect.stringContaining(what)]);
});

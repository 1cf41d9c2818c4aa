import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode } from "../../../shared/errors.ts";
import type { TestDaemon } from "../../support/daemon.ts";
import { effects } from "../../support/effects.ts";
import { type Injector, inject } from "../../support/inject.ts";
import {
  completionsOf,
  holderOf,
  readyWorkers,
  startScenario,
  untilEnded,
} from "../../support/scenario.ts";
import { until } from "../../support/until.ts";

describe("the broker", () => {
  const trace = effects();
  let daemon: TestDaemon;
  let broker: Injector;

  beforeAll(async () => {
    daemon = await startScenario({ a: { queues: ["test"], slots: 8 } });
    broker = await inject(daemon);
  });
  afterAll(async () => {
    await broker.close();
    await daemon.close();
    trace.remove();
  });

  it("may be killed under load: what was accepted completes once, and workers go on without a restart", async () => {
    const { client } = daemon;
    const workersBefore = (await readyWorkers(daemon)).map(({ pid }) => pid);
    const held = await client.enqueue("test.gate", trace.gated("through", "through"));
    await holderOf(daemon, held.id);
    const accepted: string[] = [];
    const refused: ErrorCode[] = [];
    let producing = true;
    const produce = async (lane: number): Promise<void> => {
      for (let i = 0; producing; i++) {
        const label = `load-${lane}-${i}`;
        await client.enqueue("test.work", trace.input(label, { ms: 30 })).then(
          ({ id }) => accepted.push(id),
          (error: { code: ErrorCode }) => refused.push(error.code),
        );
      }
    };
    const producers = [0, 1, 2, 3].map(produce);
    await until(() => accepted.length > 100);
    const { pid } = (await client.status()).nats;
    const before = accepted.length;
    process.kill(pid ?? 0, "SIGKILL");
    await until(() => accepted.length > before + 100);
    producing = false;
    await Promise.all(producers);
    trace.open("through");

    expect(refused.every((code) => ERRORS[code].retryable)).toBe(true);
    expect((await client.status()).nats.pid).not.toBe(pid);
    for (const id of [held.id, ...accepted])
      expect(await untilEnded(daemon, id)).toMatchObject({ status: "completed" });
    const completions = await Promise.all(accepted.map((id) => completionsOf(daemon, id)));
    expect(completions.every((count) => count === 1)).toBe(true);
    expect(trace.starts("through")).toBe(1);
    expect((await readyWorkers(daemon)).map((worker) => worker.pid)).toEqual(workersBefore);
  });

  it.each([
    ["an unknown task name", "test.nobody-knows", "{}", "unknown-task"],
    ["no task name", "", "{}", "unknown-task"],
    ["an input that is no JSON", "test.work", "{not json", "unparsable-message"],
    ["an input of another shape", "test.work", '{"label":7}', "input-invalid"],
  ])(
    "may hold a message with %s: it becomes a dead letter `invalid` and nothing stops",
    async (what, name, data, code) => {
      const id = what.replaceAll(" ", "-");
      await broker.putTask({ id, name, data });
      const ended = await untilEnded(daemon, id);
      expect(ended).toMatchObject({ status: "dead", deadReason: "invalid", attempts: 1 });
      const { names, wire } = broker;
      const letter = await until(() => wire.last(names.stream.dead, names.dead("test", id)));
      expect(new TextDecoder().decode(letter?.data)).toBe(data);
      expect(JSON.parse(letter?.headers.get("Ms-Dead") ?? "")).toMatchObject({
        reason: "invalid",
        errors: [{ code }],
      });
      await until(async () => (await broker.messagesOf(id)) === 0);
      const next = await daemon.client.enqueue("test.work", trace.input(`after-${id}`));
      expect((await untilEnded(daemon, next.id)).status).toBe("completed");
    },
  );

  it("may lose a consumer: it is made again and its messages are delivered", async () => {
    const { names, wire } = broker;
    const consumer = names.consumer("test", 5);
    const first = await daemon.client.enqueue("test.work", trace.input("makes-the-consumer"));
    await untilEnded(daemon, first.id);
    await wire.api(`$JS.API.CONSUMER.DELETE.${names.stream.tasks}.${consumer}`, undefined);
    const { id } = await daemon.client.enqueue("test.work", trace.input("no-consumer"));
    expect((await untilEnded(daemon, id)).status).toBe("completed");
    expect(trace.starts("no-consumer")).toBe(1);
  });
});

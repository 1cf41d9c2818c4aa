import { describe, expect, test } from "vitest";
import {
  createClient,
  type FollowEvent,
  type FollowFilter,
} from "../../../../shared/bus/client.ts";
import type { KeptEvent, ParsedRequestOf } from "../../../../shared/control.ts";
import { until } from "../../../support/until.ts";
import { createFakeBus, type FakeBus, names } from "./fake-bus.ts";

type Asked = ParsedRequestOf<"events">;

const at = (second: number): string => new Date(second * 1000).toISOString();
const kept = (seq: number, second: number, subject: string, data: unknown): KeptEvent => ({
  ...{ seq, at: at(second), subject },
  data: data === null ? null : JSON.stringify(data),
});
const record = (second: number): object => ({ s: "running", g: 1, a: 1, l: 5, t: second * 1000 });

/** What stands for the two streams; a page holds two messages. */
interface Streams {
  events: KeptEvent[];
  tasks: KeptEvent[];
}

function serve(streams: Streams): FakeBus {
  return createFakeBus(({ body }) => {
    const { of, subject, from = 1, since } = body as Asked;
    const head = subject.replace(/[*>].*$/, "");
    const fitting = streams[of].filter(
      (one) =>
        one.subject.startsWith(head) &&
        (since === undefined ? one.seq >= from : Date.parse(one.at) >= since),
    );
    return { events: fitting.slice(0, 2), more: fitting.length > 2 };
  });
}

const word = (event: FollowEvent): string => {
  if (event.kind === "task") return `${event.taskId} ${event.status}`;
  return event.kind === "system" ? `${event.event} ${event.seq}` : `${event.subject} ${event.seq}`;
};

function start(fake: FakeBus, filter: FollowFilter, options: object) {
  const client = createClient({ nc: fake.bus, user: "ann", names, where: "/data" });
  const told: string[] = [];
  const ending = new AbortController();
  const all = { follow: false, signal: ending.signal, ...options };
  const done = client.replay(filter, all, (event) => told.push(word(event)));
  return { told, done, ending };
}

const streams = (): Streams => ({
  events: [
    kept(1, 10, "events.a", 1),
    kept(2, 20, "ms.event.task.progress.t1", { done: 1 }),
    kept(3, 30, "events.b", 2),
    kept(4, 40, "events.c", "text"),
    kept(5, 50, "events.e", 3),
    kept(6, 50, "ms.event.daemon.started", {}),
  ],
  tasks: [
    kept(7, 15, "ms.state.etl.t1", record(15)),
    kept(8, 25, "ms.state.etl.t2", record(25)),
    kept(9, 45, "ms.state.cls.t3", record(45)),
  ],
});

describe("what is kept", () => {
  test("is told once each in the order it was stored, over all streams and pages", async () => {
    const { told, done } = start(serve(streams()), {}, {});
    await done;
    expect(told).toEqual([
      ...["events.a 1", "t1 running", "task.progress.t1 2", "t2 running", "events.b 3"],
      ...["events.c 4", "t3 running", "events.e 5", "daemon.started 6"],
    ]);
  });

  test("is told from a time on", async () => {
    const { told, done } = start(serve(streams()), {}, { since: 41_000 });
    await done;
    expect(told).toEqual(["t3 running", "events.e 5", "daemon.started 6"]);
  });

  test("from a sequence of the events leaves out tasks, which have none of it", async () => {
    const { told, done } = start(serve(streams()), {}, { from: 4 });
    await done;
    expect(told).toEqual(["events.c 4", "events.e 5", "daemon.started 6"]);
  });

  test("is only asked for where the filter can fit", async () => {
    const fake = serve(streams());
    const { told, done } = start(fake, { queue: "cls" }, {});
    await done;
    expect(told).toEqual(["t3 running"]);
    expect(fake.seen.map(({ body }) => (body as Asked).subject)).toEqual(["ms.state.cls.*"]);
  });

  test("has a place for an event that is too large to be told", async () => {
    const events = [kept(1, 1, "events.big", null)];
    const { told, done } = start(serve({ events, tasks: [] }), { kinds: ["domain"] }, {});
    await done;
    expect(told).toEqual(["events.big 1"]);
  });
});

describe("following after it", () => {
  test("tells what comes by its sequence, without a repeat of what was read and heard", async () => {
    const all = streams();
    const fake = serve(all);
    const { told, done, ending } = start(
      fake,
      { kinds: ["domain"] },
      { since: 30_000, follow: true },
    );
    await until(() => told.length === 3);
    fake.tell("events.e", 3);
    all.events.push(kept(7, 60, "events.d", 1), kept(8, 60, "events.d", 1));
    fake.tell("events.d", 1);
    fake.tell("events.d", 1);
    await until(() => told.length >= 5);
    ending.abort();
    await done;
    expect(told).toEqual(["events.b 3", "events.c 4", "events.e 5", "events.d 7", "events.d 8"]);
    expect(fake.openSubscriptions()).toBe(0);
  });

  test("goes on when the daemon was away meanwhile", async () => {
    const all = streams();
    let away = false;
    const inner = serve(all);
    const fake = createFakeBus(async (request) => {
      const refusal = { code: "daemon-not-running", message: "away", hint: "", details: {} };
      if (away) return { refusal };
      const reply = await inner.bus.request(request.subject, JSON.stringify(request.body));
      return reply.json<{ value: unknown }>().value;
    });
    const { told, done, ending } = start(fake, { kinds: ["domain"] }, { from: 5, follow: true });
    await until(() => told.length === 1);
    away = true;
    const asked = fake.seen.length;
    all.events.push(kept(7, 60, "events.d", 1));
    fake.tell("events.d", 1);
    await until(() => fake.seen.length > asked);
    away = false;
    await until(() => told.length === 2);
    ending.abort();
    await done;
    expect(told).toEqual(["events.e 5", "events.d 7"]);
  });

  test("ends with the refusal when it may not be asked for at all", async () => {
    const refusal = { code: "not-permitted", message: "no", hint: "", details: {} };
    const { done } = start(
      createFakeBus(() => ({ refusal })),
      {},
      { follow: true },
    );
    await expect(done).rejects.toMatchObject({ code: "not-permitted" });
  });
});

import { describe, expect, expectTypeOf, test } from "vitest";
import * as z from "zod";
import { createClient, type Enqueued, type TaskRef } from "../../../../shared/bus/client.ts";
import { AppError } from "../../../../shared/errors.ts";
import { createFakeBus, type FakeBus, names, natsError, type SeenRequest } from "./fake-bus.ts";

interface Item {
  readonly name: string;
  readonly input: string;
  readonly id: string;
  readonly priority?: number;
}

const itemsOf = (request: SeenRequest | undefined): Item[] =>
  (request?.body as { items: Item[] } | undefined)?.items ?? [];

const outcome = (item: Item): object => ({
  id: item.id,
  queue: "etl",
  priority: item.priority ?? 5,
  status: "waiting",
  deduplicated: false,
  durability: "journaled",
});

const accept = (request: SeenRequest): object => ({ outcomes: itemsOf(request).map(outcome) });

function clientOf(fake: FakeBus): ReturnType<typeof createClient> {
  let n = 0;
  return createClient({ nc: fake.bus, user: "ann", names, newId: () => `id-${++n}` });
}

const codeOf = (error: unknown): string => (error instanceof AppError ? error.code : String(error));

describe("gathering", () => {
  test("enqueues of one turn share one request, and each resolves with its own outcome", async () => {
    const fake = createFakeBus(accept);
    const client = clientOf(fake);
    const made = await Promise.all([1, 2, 3].map((n) => client.enqueue("etl.load", { n })));
    expect(made.map(({ id }) => id)).toEqual(["id-1", "id-2", "id-3"]);
    expect(fake.seen).toHaveLength(1);
    expect(itemsOf(fake.seen[0]).map(({ input }) => input)).toEqual([
      '{"n":1}',
      '{"n":2}',
      '{"n":3}',
    ]);
  });

  test("enqueues made while a request is on its way leave together after it", async () => {
    let answerFirst = (): void => {};
    const held = new Promise<void>((resolve) => {
      answerFirst = resolve;
    });
    const fake = createFakeBus(async (request) => {
      if (fake.seen.length === 1) await held;
      return accept(request);
    });
    const client = clientOf(fake);
    const first = client.enqueue("etl.load", 0);
    await Promise.resolve();
    const second = client.enqueue("etl.load", 1);
    await Promise.resolve();
    const third = client.enqueue("etl.load", 2);
    answerFirst();
    await Promise.all([first, second, third]);
    expect(fake.seen.map((request) => itemsOf(request).length)).toEqual([1, 2]);
  });

  test("a request carries at most a thousand tasks, and a burst keeps its order", async () => {
    const fake = createFakeBus(accept);
    const outcomes = await clientOf(fake).enqueueMany(
      Array.from({ length: 2500 }, (_, n) => ({ task: "etl.load", input: n })),
    );
    expect(fake.seen.map((request) => itemsOf(request).length)).toEqual([1000, 1000, 500]);
    expect(
      fake.seen.flatMap((request) => itemsOf(request).map(({ input }) => Number(input))),
    ).toEqual(Array.from({ length: 2500 }, (_, n) => n));
    expect(outcomes.at(-1)).toMatchObject({ id: "id-2500" });
  });

  test("a request stays below what the server takes", async () => {
    const fake = createFakeBus(accept, { maxPayload: 265_536 });
    const client = clientOf(fake);
    const input = "x".repeat(90_000);
    await Promise.all([1, 2, 3, 4].map(() => client.enqueue("etl.load", input)));
    expect(fake.seen.map((request) => itemsOf(request).length)).toEqual([2, 2]);
  });

  test("at most four full requests are on their way together", async () => {
    let now = 0;
    let most = 0;
    const fake = createFakeBus(async (request) => {
      now += 1;
      most = Math.max(most, now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now -= 1;
      return accept(request);
    });
    const client = clientOf(fake);
    await client.enqueueMany(
      Array.from({ length: 9000 }, () => ({ task: "etl.load", input: null })),
    );
    expect(most).toBe(4);
  });

  test("forty thousand tasks leave within a second", async () => {
    const fake = createFakeBus(accept);
    const client = clientOf(fake);
    const startedMs = performance.now();
    await Promise.all(
      Array.from({ length: 40_000 }, (_, n) => client.enqueue("etl.load", { n, text: "row" })),
    );
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

describe("levels", () => {
  test("the subject names the highest level of the batch", async () => {
    const fake = createFakeBus(accept);
    const client = clientOf(fake);
    await Promise.all([3, 8, 5].map((priority) => client.enqueue("etl.load", 1, { priority })));
    expect(fake.seen.map(({ subject }) => subject)).toEqual(["ms.api.v1.ann.enqueue.8"]);
  });

  test("a refused level 10 takes no task of another level with it", async () => {
    const fake = createFakeBus((request) => {
      if (request.verb === "whoami") return { user: "ann", role: "Manager" };
      if (request.level === 10) throw natsError("PermissionViolationError");
      return accept(request);
    });
    const client = clientOf(fake);
    const outcomes = await client.enqueueMany(
      [5, 9, 10].map((priority) => ({ task: "etl.load", input: 1, priority })),
    );
    expect(outcomes.map((one) => ("error" in one ? one.error.message : one.priority))).toEqual([
      5,
      9,
      "ann (Manager) may not enqueue at level 10 (Critical).",
    ]);
  });

  test("a definition's level above the default is asked for once the daemon has told it", async () => {
    const fake = createFakeBus((request) => ({
      outcomes: itemsOf(request).map((item) =>
        request.level === 7
          ? outcome(item)
          : { error: { code: "not-permitted", message: "m", hint: "h", details: { level: 7 } } },
      ),
    }));
    await clientOf(fake).enqueue("etl.load", 1);
    expect(fake.seen.map(({ level }) => level)).toEqual([5, 7]);
  });
});

describe("failures", () => {
  test("each call rejects with its own error object", async () => {
    const fake = createFakeBus(() => {
      throw natsError("NoResponders");
    });
    const client = clientOf(fake);
    const settled = await Promise.allSettled([client.enqueue("a", 1), client.enqueue("b", 2)]);
    const errors = settled.map((one) => (one.status === "rejected" ? one.reason : null));
    expect(errors.map(codeOf)).toEqual(["daemon-not-running", "daemon-not-running"]);
    expect(errors[0]).not.toBe(errors[1]);
  });

  test("one refused task of a batch leaves the others alone", async () => {
    const fake = createFakeBus((request) => ({
      outcomes: itemsOf(request).map((item) =>
        item.name === "bad"
          ? { error: { code: "unknown-task", message: "No task is named bad.", hint: "h" } }
          : outcome(item),
      ),
    }));
    const client = clientOf(fake);
    const [good, bad] = await Promise.allSettled([
      client.enqueue("etl.load", 1),
      client.enqueue("bad", 1),
    ]);
    expect(good.status).toBe("fulfilled");
    expect(bad.status === "rejected" && codeOf(bad.reason)).toBe("unknown-task");
  });

  test("a lost answer is asked for again with the same ids, and is no repeat to the caller", async () => {
    const fake = createFakeBus((request) => {
      if (fake.seen.length === 1) throw natsError("TimeoutError");
      return {
        outcomes: itemsOf(request).map((item) => ({ ...outcome(item), deduplicated: true })),
      };
    });
    const made = await clientOf(fake).enqueue("etl.load", 1);
    expect(made).toMatchObject({ id: "id-1", deduplicated: false });
    expect(fake.seen.map((request) => itemsOf(request)[0]?.id)).toEqual(["id-1", "id-1"]);
  });

  test("a task with a key has no id of the client, so that the daemon finds the first one", async () => {
    const fake = createFakeBus((request) => ({
      outcomes: itemsOf(request).map((item) => ({
        ...outcome(item),
        id: "old",
        deduplicated: true,
      })),
    }));
    const made = await clientOf(fake).enqueue("etl.load", 1, { key: "k" });
    expect(made).toMatchObject({ id: "old", deduplicated: true });
    expect(itemsOf(fake.seen[0])[0]).not.toHaveProperty("id");
  });
});

describe("checks before sending", () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;

  test.each([
    ["a cycle", cycle],
    ["a BigInt", { n: 1n }],
    ["undefined", undefined],
    ["a function", () => 1],
  ])("%s is refused as no JSON", async (_, input) => {
    const fake = createFakeBus(accept);
    const refused = await clientOf(fake).enqueue("etl.load", input).catch(codeOf);
    expect(refused).toBe("input-not-json");
    expect(fake.seen).toEqual([]);
  });

  test("an input of exactly 1 MiB of UTF-8 passes and one byte more is refused with size and limit", async () => {
    const fake = createFakeBus(accept);
    const client = clientOf(fake);
    // Two quotes stand around the text; "é" takes two bytes.
    const fits = "é".repeat((1_048_576 - 2) / 2);
    await client.enqueue("etl.load", fits);
    const refused = await client.enqueue("etl.load", `${fits}x`).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: "payload-too-large",
      details: { size: 1_048_577, limit: 1_048_576 },
    });
    expect(fake.seen).toHaveLength(1);
  });

  test("a server that takes less lowers the limit to its own less 64 KiB", async () => {
    const fake = createFakeBus(accept, { maxPayload: 131_072 });
    const refused = await clientOf(fake)
      .enqueue("etl.load", "x".repeat(65_535))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "payload-too-large", details: { limit: 65_536 } });
  });

  const load: TaskRef<{ table: string; rows?: number | undefined }, { loaded: number }> = {
    name: "etl.load",
    input: z.object({ table: z.string(), rows: z.number().default(1) }),
    output: z.object({ loaded: z.number() }),
    priority: 6,
  };

  test("a definition's schema refuses an input with the path, and nothing leaves", async () => {
    const fake = createFakeBus(accept);
    const refused = await clientOf(fake)
      .enqueue(load, { table: 7 as unknown as string })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "input-invalid", details: { path: "table" } });
    expect(fake.seen).toEqual([]);
  });

  test("the input travels as the caller wrote it, at the definition's level", async () => {
    const fake = createFakeBus(accept);
    await clientOf(fake).enqueue(load, { table: "t" });
    expect(itemsOf(fake.seen[0])[0]?.input).toBe('{"table":"t"}');
    expect(fake.seen[0]?.level).toBe(6);
  });

  test("a schema with asynchronous parts is checked too", async () => {
    const slow: TaskRef<string, unknown> = {
      name: "etl.slow",
      input: z.string().refine(async (text) => text === "good", "not good"),
      output: null,
    };
    const refused = await clientOf(createFakeBus(accept)).enqueue(slow, "bad").catch(codeOf);
    expect(refused).toBe("input-invalid");
  });

  test("JSON text passes as it stands, so that 64-bit integers stay exact", async () => {
    const fake = createFakeBus(accept);
    const client = clientOf(fake);
    await client.enqueueJson("etl.load", '{"n": 9007199254740993}');
    expect(itemsOf(fake.seen[0])[0]?.input).toBe('{"n": 9007199254740993}');
    expect(await client.enqueueJson("etl.load", "{n}").catch(codeOf)).toBe("input-not-json");
  });

  test("input and result are typed by the definition", () => {
    const client = clientOf(createFakeBus(accept));
    const enqueue = client.enqueue<{ table: string }, { loaded: number }>;
    expectTypeOf(enqueue).parameter(1).toEqualTypeOf<{ table: string }>();
    expectTypeOf(enqueue).returns.resolves.toEqualTypeOf<Enqueued<{ loaded: number }>>();
    const wait = client.waitResult<{ loaded: number }>;
    expectTypeOf(wait).returns.resolves.toEqualTypeOf<{ loaded: number }>();
  });
});

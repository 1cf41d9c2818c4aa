import { signal } from "@preact/signals";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { WireError } from "../../shared/errors.ts";
import type { Changed } from "../../shared/view/messages.ts";
import type { Outcome } from "../../webview/host.ts";
import { createQueries, onDead, onQueues, SPACING_MS } from "../../webview/state/query.ts";

const NOTHING: Changed = { queues: false, dead: false, runs: [], tasks: [] };
const QUEUES: Changed = { ...NOTHING, queues: true };
const error = (code: WireError["code"]): Outcome<never> => ({
  ok: false,
  error: { code, message: code, hint: "" },
});

beforeEach(() => {
  vi.useFakeTimers({ now: 1000 });
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const asked: string[] = [];
  const answers: ((outcome: Outcome<unknown>) => void)[] = [];
  const listeners = new Set<(changed: Changed) => void>();
  const connection = signal<"connected" | "opening" | "down">("connected");
  const live = signal(true);
  const visible = signal(true);
  const queries = createQueries({
    request: ((verb: string) => {
      asked.push(verb);
      return new Promise((resolve) => answers.push(resolve));
    }) as never,
    onChanged: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    connection,
    live,
    visible,
    now: () => Date.now(),
  });
  return {
    queries,
    asked,
    connection,
    live,
    visible,
    change: (changed: Changed) => listeners.forEach((listener) => void listener(changed)),
    async answer(outcome: Outcome<unknown>) {
      answers.shift()?.(outcome);
      await vi.advanceTimersByTimeAsync(0);
    },
    pass: (ms: number) => vi.advanceTimersByTimeAsync(ms),
  };
}

const ok = (value: unknown): Outcome<unknown> => ({ ok: true, value });

describe("a query", () => {
  test("is loading, then ready with the time of its data", async () => {
    const { queries, answer } = setUp();
    const query = queries.watch("queues", {});
    expect(query.state.value).toEqual({ kind: "loading" });
    await answer(ok({ queues: [] }));
    expect(query.state.value).toEqual({ kind: "ready", data: { queues: [] }, asOf: 1000 });
  });

  test("with the same verb and body is asked once for all who watch it", async () => {
    const { queries, asked } = setUp();
    queries.watch("list", { limit: 5 });
    queries.watch("list", { limit: 5 });
    queries.watch("list", { limit: 6 });
    expect(asked).toEqual(["list", "list"]);
  });

  test("asks again when what it shows has changed, and not for other changes", async () => {
    const { queries, asked, answer, change, pass } = setUp();
    queries.watch("queues", {}, { refreshOn: onQueues });
    await answer(ok(1));
    await pass(SPACING_MS);
    change({ ...NOTHING, dead: true });
    expect(asked).toHaveLength(1);
    change(QUEUES);
    expect(asked).toHaveLength(2);
  });

  test("joins a burst of changes into one more question, half a second apart", async () => {
    const { queries, asked, answer, change, pass } = setUp();
    queries.watch("queues", {}, { refreshOn: onQueues });
    await answer(ok(1));
    for (let n = 0; n < 20; n++) change(QUEUES);
    expect(asked).toHaveLength(1);
    await pass(SPACING_MS);
    expect(asked).toHaveLength(2);
    await answer(ok(2));
    await pass(SPACING_MS * 4);
    expect(asked).toHaveLength(2);
  });

  test("that nobody watches any more is not asked, and shows its last answer when it is watched again", async () => {
    const { queries, asked, answer, change, pass } = setUp();
    const first = queries.watch("queues", {}, { refreshOn: onQueues });
    await answer(ok(1));
    first.release();
    await pass(SPACING_MS);
    change(QUEUES);
    expect(asked).toHaveLength(1);
    const second = queries.watch("queues", {}, { refreshOn: onQueues });
    expect(second.state.value).toMatchObject({ kind: "ready", data: 1 });
    expect(asked).toHaveLength(2);
  });
});

describe("without a connection", () => {
  test("old data stay and are stale, and are asked anew when it is back", async () => {
    const { queries, asked, answer, connection, pass } = setUp();
    const query = queries.watch("queues", {});
    await answer(ok(1));
    connection.value = "down";
    expect(query.state.value).toMatchObject({ kind: "stale", data: 1, asOf: 1000, why: "offline" });
    await pass(SPACING_MS);
    expect(asked).toHaveLength(1);
    connection.value = "connected";
    expect(asked).toHaveLength(2);
    await answer(ok(2));
    expect(query.state.value).toMatchObject({ kind: "ready", data: 2 });
  });

  test("what was never there is an error with the reason, and loading while it is being opened", () => {
    const { queries, connection } = setUp();
    connection.value = "opening";
    const query = queries.watch("queues", {});
    expect(query.state.value.kind).toBe("loading");
    connection.value = "down";
    expect(query.state.value).toMatchObject({ kind: "error", error: { code: "connection-lost" } });
  });

  test("a question that the loss of the connection left open is asked again", async () => {
    const { queries, asked, answer, connection, pass } = setUp();
    queries.watch("queues", {});
    connection.value = "down";
    await answer(error("connection-lost"));
    await pass(SPACING_MS);
    connection.value = "connected";
    expect(asked).toHaveLength(2);
  });
});

describe("refusals and failures", () => {
  test("a missing right is a state of its own", async () => {
    const { queries, answer } = setUp();
    const query = queries.watch("queues", {});
    await answer(error("not-permitted"));
    expect(query.state.value.kind).toBe("not-allowed");
  });

  test("a failure after good data keeps them, with the error", async () => {
    const { queries, answer, pass } = setUp();
    const query = queries.watch("queues", {});
    await answer(ok(1));
    await pass(SPACING_MS);
    query.refetch();
    await answer(error("internal"));
    expect(query.state.value).toMatchObject({ kind: "stale", why: "failed", data: 1 });
  });
});

describe("nobody looks", () => {
  test("while the view is hidden nothing is asked, and once when it is seen again", async () => {
    const { queries, asked, answer, change, visible, pass } = setUp();
    queries.watch("status", {}, { refreshOn: onDead });
    await answer(ok(1));
    await pass(SPACING_MS);
    visible.value = false;
    change({ ...NOTHING, dead: true });
    await pass(10_000);
    expect(asked).toHaveLength(1);
    visible.value = true;
    expect(asked).toHaveLength(2);
  });

  test("with live data off only what was never answered is asked, and Retry asks all the same", async () => {
    const { queries, asked, answer, live, change, pass } = setUp();
    const query = queries.watch("queues", {}, { refreshOn: onQueues, everyMs: 1000 });
    await answer(ok(1));
    live.value = false;
    expect(query.state.value).toMatchObject({ kind: "stale", why: "paused" });
    change(QUEUES);
    await pass(10_000);
    expect(asked).toEqual(["queues"]);
    queries.watch("runs", {});
    expect(asked).toEqual(["queues", "runs"]);
    query.refetch();
    expect(asked).toEqual(["queues", "runs", "queues"]);
  });
});

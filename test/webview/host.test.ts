import { signal } from "@preact/signals";
import { describe, expect, test, vi } from "vitest";
import { SIGNED_OUT_CODE, type ViewCommand, type ViewNotice } from "../../shared/view/messages.ts";
import { createHost } from "../../webview/host.ts";
import {
  createSocketTransport,
  type Link,
  reconnectDelayMs,
  type Transport,
} from "../../webview/transport.ts";

function setUp() {
  const sent: ViewCommand[] = [];
  const link = signal<Link>({ kind: "open" });
  let listener: (notice: ViewNotice) => void = () => {};
  const transport: Transport = {
    kind: "browser",
    link,
    send(command) {
      if (link.value.kind !== "open") return false;
      sent.push(command);
      return true;
    },
    listen: (to) => {
      listener = to;
    },
    retryNow() {},
    readState: () => null,
    saveState() {},
  };
  return {
    host: createHost(transport),
    sent,
    link,
    tell: (notice: ViewNotice) => listener(notice),
  };
}

const reply = (id: number, value: unknown): ViewNotice => ({
  type: "reply",
  id,
  outcome: { ok: true, value: value as null },
});

describe("requests", () => {
  test("get the reply of their own number, in whatever order replies come", async () => {
    const { host, tell } = setUp();
    const [first, second] = [host.request("queues", {}), host.request("status", {})];
    tell(reply(2, "second"));
    tell(reply(1, "first"));
    expect(await Promise.all([first, second])).toEqual([
      { ok: true, value: "first" },
      { ok: true, value: "second" },
    ]);
  });

  test("are answered when the link closes, and when there is none", async () => {
    const { host, link } = setUp();
    const open = host.request("queues", {});
    link.value = { kind: "closed", since: 0, attempt: 0, nextTryAt: null };
    const lost = { ok: false, error: { code: "connection-lost" } };
    expect(await open).toMatchObject(lost);
    expect(await host.request("queues", {})).toMatchObject(lost);
  });

  test("that nobody answers end after a minute", async () => {
    vi.useFakeTimers();
    const { host } = setUp();
    const open = host.request("queues", {});
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect(await open).toMatchObject({ ok: false, error: { code: "timed-out" } });
  });
});

test("the host is told that the view is ready whenever the link opens", () => {
  const { sent, link } = setUp();
  link.value = { kind: "closed", since: 0, attempt: 1, nextTryAt: null };
  link.value = { kind: "open" };
  expect(sent).toEqual([{ type: "ready" }, { type: "ready" }]);
});

test("a listener that stopped hears nothing more", () => {
  const { host, tell } = setUp();
  const heard: string[] = [];
  const stop = host.onNotice(({ type }) => heard.push(type));
  tell({ type: "live", on: true });
  stop();
  tell({ type: "live", on: false });
  expect(heard).toEqual(["live"]);
});

class FakeSocket extends EventTarget {
  readonly sent: string[] = [];
  send(text: string): void {
    this.sent.push(text);
  }
  close(code: number): void {
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

describe("the socket of a browser", () => {
  const openSockets = () => {
    const sockets: FakeSocket[] = [];
    const transport = createSocketTransport(() => {
      sockets.push(new FakeSocket());
      return sockets.at(-1) as unknown as WebSocket;
    });
    return { sockets, transport };
  };

  test("is opened again by itself after it closed, later each time", async () => {
    vi.useFakeTimers();
    const { sockets, transport } = openSockets();
    sockets[0]?.dispatchEvent(new Event("open"));
    expect(transport.link.value.kind).toBe("open");
    sockets[0]?.close(1006);
    expect(transport.link.value).toMatchObject({ kind: "closed", attempt: 0 });
    await vi.advanceTimersByTimeAsync(250);
    expect([sockets.length, transport.link.value]).toMatchObject([
      2,
      { attempt: 1, nextTryAt: null },
    ]);
    sockets[1]?.close(1006);
    await vi.advanceTimersByTimeAsync(300);
    expect(sockets).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(200);
    vi.useRealTimers();
    expect(sockets).toHaveLength(3);
  });

  test("is not opened again when the daemon does not know the browser, until the user asks", () => {
    const { sockets, transport } = openSockets();
    sockets[0]?.close(SIGNED_OUT_CODE);
    expect([transport.link.value.kind, transport.send({ type: "ready" })]).toEqual([
      "signed-out",
      false,
    ]);
    transport.retryNow();
    expect(sockets).toHaveLength(2);
  });

  test("waits up to ten seconds between attempts, a fifth of it by chance", () => {
    expect([1, 2, 3, 9].map((attempt) => reconnectDelayMs(attempt, 1))).toEqual([
      250, 500, 1000, 10_000,
    ]);
    expect(reconnectDelayMs(9, 0)).toBe(8000);
  });
});

import { parentPort, workerData } from "node:worker_threads";
import { connect, nkeyAuthenticator } from "@nats-io/transport-node";
import { collectWhenIdle } from "../collect-when-idle.ts";
import { pinnedTls } from "../nats/connect.ts";
import { heldSubjects } from "./hold-table.ts";
import { type LeaseKeeperStart, SHARED_CELLS, type ToLeaseThread } from "./lease-keeper.ts";

/** The body of the lease-keeper thread: heartbeats with what the main thread counts, and an eye on the parent. */
const start = workerData as LeaseKeeperStart;
const cells = new Int32Array(start.cells);

const PARENT_CHECK_MS = 200;

// Before the connection: a daemon that dies while this thread still connects takes the broker with it, so that it never
// would. Its workers go with it, even when a handler blocks the main loop.
const parentWatch = setInterval(() => {
  if (start.parentPid !== null && process.ppid !== start.parentPid)
    process.kill(process.pid, "SIGKILL");
}, PARENT_CHECK_MS);

const nc = await connect({
  servers: start.servers.split(","),
  name: `lease:${start.workerId}`,
  inboxPrefix: start.inboxPrefix,
  authenticator: nkeyAuthenticator(start.seed),
  maxReconnectAttempts: -1,
  reconnectTimeWait: 100,
  reconnectJitter: 100,
  waitOnFirstConnect: true,
  ignoreAuthErrorAbort: true,
  ...(start.tlsCert === undefined ? {} : { tls: pinnedTls(start.tlsCert) }),
});

let lastTick = -1;
let blockedSince: number | null = null;

const beat = (): void => {
  const tick = Atomics.load(cells, SHARED_CELLS.tick);
  const now = performance.now();
  if (tick !== lastTick) blockedSince = null;
  else blockedSince ??= now;
  lastTick = tick;
  if (nc.isClosed()) return;
  const blockedMs = blockedSince === null ? 0 : Math.round(now - blockedSince);
  nc.publish(
    start.beatSubject,
    JSON.stringify({ running: Atomics.load(cells, SHARED_CELLS.running), blockedMs }),
  );
};

/**
 * While a handler blocks the main loop, that loop cannot extend the messages it holds: without this its tasks would be
 * given to somebody else meanwhile. Looked at often, because the server waits for a second and a half only.
 */
const HOLD_CHECK_MS = 250;
let heldTick = -1;
const holdWatch = setInterval(() => {
  const tick = Atomics.load(cells, SHARED_CELLS.tick);
  if (tick === heldTick && !nc.isClosed()) {
    for (const subject of heldSubjects(start.holds)) nc.publish(subject, "+WPI");
  }
  heldTick = tick;
}, HOLD_CHECK_MS);

let timer: NodeJS.Timeout | undefined;

parentPort?.on("message", (message: ToLeaseThread) => {
  if (message.kind === "beat") {
    clearInterval(timer);
    timer = setInterval(beat, message.everyMs);
    beat();
    return;
  }
  clearInterval(timer);
  clearInterval(parentWatch);
  clearInterval(holdWatch);
  void nc.close().then(() => process.exit(0));
});
parentPort?.postMessage("connected");
collectWhenIdle();

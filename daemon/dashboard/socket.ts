import type { WebSocket } from "ws";
import { SIGNED_OUT_CODE, type ViewNotice } from "../../shared/view/messages.ts";
import { sayEnglish } from "../../shared/view/rows.ts";
import { createViewSession } from "../../shared/view/session.ts";
import type { Control } from "../control/call.ts";
import type { Log } from "../log.ts";
import type { Hub } from "./hub.ts";
import type { Session } from "./sign-in.ts";
import { createUserClient } from "./user-client.ts";

/** More than this waits for a slow reader: no further answer is made until it was read. */
const BUSY_BYTES = 1_048_576;
/** A reader that took nothing for so long is gone. */
const STALLED_MS = 30_000;
const PING_MS = 30_000;

export interface SocketDeps {
  readonly socket: WebSocket;
  readonly session: Session;
  readonly control: Control;
  readonly hub: Hub;
  /** Whether the session still holds: its user may have been removed meanwhile, or its time be over. */
  isValid(): boolean;
  readonly locale: string;
  readonly texts: Readonly<Record<string, string>>;
  now(): number;
  readonly log: Log;
}

/** One dashboard in a browser. */
export interface DashboardSocket {
  /** Asked from time to time: ends what is over, signed out, stalled or gone. */
  look(): void;
  /** The daemon stops. */
  goAway(): void;
}

/** The same thresholds that the extension has by default. */
const LIMITS = { oldestWaitMs: 120_000, backlog: 1000 };

export function serveSocket(deps: SocketDeps): DashboardSocket {
  const { socket, session, hub, now } = deps;
  const outlet = createOutlet(socket, now);
  const client = createUserClient({
    user: session.user,
    control: deps.control,
    room: outlet.room,
  });
  const view = createViewSession({
    client: () => client,
    follow: hub.follow,
    connection: () => ({
      ...hub.connection(),
      identity: { user: session.user, role: session.role },
    }),
    hello: () => ({
      host: "browser",
      locale: deps.locale,
      texts: deps.texts,
      remedies: [],
      limits: LIMITS,
    }),
    acts: {},
    post: outlet.post,
    say: (english, values) => sayEnglish(deps.texts[english] ?? english, values),
    now,
    refused: (what) => deps.log.warn("dashboard refused", { user: session.user, what }),
  });
  const unwatch = hub.onConnection(view.connectionChanged);
  let pingedAt = now();
  let isAlive = true;

  socket.on("pong", () => {
    isAlive = true;
  });
  socket.on("message", (data, isBinary) => {
    if (!deps.isValid()) return signOut();
    if (isBinary) return socket.close(1003, "text is expected");
    view.receive(parse(String(data as Buffer)));
  });
  // Ignored: a broken socket is closed as well, and nobody is there to be told.
  socket.on("error", () => {});
  socket.on("close", () => {
    unwatch();
    view.close();
    outlet.close();
  });

  function signOut(): void {
    socket.close(SIGNED_OUT_CODE, "signed out");
  }

  return {
    look() {
      if (!deps.isValid()) return signOut();
      if (outlet.stalledMs() > STALLED_MS) return socket.terminate();
      if (now() - pingedAt < PING_MS) return;
      if (!isAlive) return socket.terminate();
      isAlive = false;
      pingedAt = now();
      socket.ping();
    },
    goAway: () => socket.close(1001, "the daemon stops"),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Ignored: what is not JSON is no command, and is refused as such.
    return undefined;
  }
}

/** What leaves on a socket, with an eye on how much of it waits for its reader. */
function createOutlet(socket: WebSocket, now: () => number) {
  const waiting: (() => void)[] = [];
  let owesChanged = false;
  let tookAt = now();

  const isBusy = (): boolean => socket.bufferedAmount > BUSY_BYTES;

  function send(notice: ViewNotice): void {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount === 0) tookAt = now();
    socket.send(JSON.stringify(notice), taken);
  }

  /** A message was handed to the system: the reader goes on. */
  function taken(): void {
    tookAt = now();
    if (isBusy()) return;
    for (const go of waiting.splice(0)) go();
    if (!owesChanged) return;
    owesChanged = false;
    const changed = { queues: true, dead: true, runs: [], tasks: null };
    send({ type: "changed", changed });
  }

  return {
    post(notice: ViewNotice): void {
      // A reader that is behind needs one word about changes, not each.
      if (notice.type === "changed" && isBusy()) owesChanged = true;
      else send(notice);
    },
    async room(): Promise<void> {
      while (isBusy() && socket.readyState === socket.OPEN)
        await new Promise<void>((resolve) => waiting.push(resolve));
    },
    stalledMs: () => (isBusy() ? now() - tookAt : 0),
    close(): void {
      for (const go of waiting.splice(0)) go();
    },
  };
}

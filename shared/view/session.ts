import { type Ask, createAsk } from "../bus/ask.ts";
import type { Client, FollowEvent, Following } from "../bus/client.ts";
import { AppError, fromUnknown, type WireError } from "../errors.ts";
import { CHANGED_MS, createChanged } from "./changed.ts";
import { parseViewCommand } from "./commands.ts";
import { BATCH_MS, createFeed } from "./feed.ts";
import type { Address, HostAct, ViewCommand, ViewNotice } from "./messages.ts";
import { type Say, toRows } from "./rows.ts";

type NoticeOf<T extends ViewNotice["type"]> = Omit<Extract<ViewNotice, { type: T }>, "type">;

/** What a host does beyond requests; each rejects with what the user should read. */
export type HostActs = {
  readonly [K in HostAct["kind"]]?: (act: Extract<HostAct, { kind: K }>) => Promise<void>;
};

export interface ViewSessionDeps {
  /** Asks the daemon with the user's own permissions; null while there is no connection. */
  client(): Pick<Client, "request"> | null;
  /** Everything that happens from now on, also over a connection that is made later. */
  follow(callback: (event: FollowEvent) => void): Following;
  /** The connection as it is. The host calls `connectionChanged` when that is another. */
  connection(): NoticeOf<"connection">;
  hello(): Omit<NoticeOf<"hello">, "acts">;
  readonly acts: HostActs;
  post(notice: ViewNotice): void;
  readonly say?: Say;
  readonly now?: () => number;
  /** Hears of what a view sent that is none of its commands. */
  refused?(what: string): void;
}

/** One view's conversation with its host, in VS Code as in a browser. */
export interface ViewSession {
  /** Takes what the view sent, as it came: it is parsed here, and answered whatever it is. */
  receive(value: unknown): void;
  connectionChanged(): void;
  /** Shows this place; before the view is there it is kept for it. */
  navigate(address: Address): void;
  /** The view's document is gone; it says `ready` when it is there again. Nothing is posted until then. */
  hidden(): void;
  close(): void;
}

/** A view that asks for more at once is broken; what is beyond this waits, and what is beyond that is refused. */
const AT_ONCE = 16;
const MOST_WAITING = 200;

export function createViewSession(deps: ViewSessionDeps): ViewSession {
  const { post, now = Date.now } = deps;
  const requests = createRequests(deps);
  const flow = createFlow(deps, now);
  let isReady = false;
  let goTo: Address | null = null;

  function greet(): void {
    isReady = true;
    post({ type: "hello", ...deps.hello(), acts: Object.keys(deps.acts) as HostAct["kind"][] });
    post({ type: "connection", ...deps.connection() });
    flow.restart();
    if (goTo !== null) post({ type: "navigate", address: goTo });
    goTo = null;
  }

  function obey(command: ViewCommand): void {
    switch (command.type) {
      case "ready":
        greet();
        break;
      case "request":
        requests.take(command.id, (ask) => ask(command.verb, command.body));
        break;
      case "feed":
        flow.openFeed(command.open);
        break;
      case "feed-ack":
        flow.ack(command.batch);
        break;
      case "live":
        flow.setLive(command.on);
        break;
      case "host":
        void act(deps, command.id, command.act);
        break;
      default:
        command satisfies never;
    }
  }

  return {
    receive(value) {
      const parsed = parseViewCommand(value);
      if (parsed.ok) {
        obey(parsed.command);
        return;
      }
      deps.refused?.(parsed.what);
      const error = new AppError("bad-usage", { what: parsed.what }).toWire();
      if (parsed.id !== null) post({ type: "reply", id: parsed.id, outcome: { ok: false, error } });
    },
    connectionChanged() {
      if (isReady) post({ type: "connection", ...deps.connection() });
    },
    navigate(address) {
      if (isReady) post({ type: "navigate", address });
      else goTo = address;
    },
    hidden() {
      isReady = false;
      flow.close();
    },
    close() {
      isReady = false;
      requests.close();
      flow.close();
    },
  };
}

function notConnected(): WireError {
  return {
    code: "connection-lost",
    message: "There is no connection to a daemon.",
    hint: "Nothing was done. Try again when the connection is back.",
  };
}

/** Requests of a view, some at once, the others in their order. Every one of them is answered. */
function createRequests({ client, post }: ViewSessionDeps): {
  take(id: number, send: (ask: Ask) => Promise<unknown>): void;
  close(): void;
} {
  const waiting: (() => void)[] = [];
  let running = 0;
  let closed = false;

  function answer(id: number, outcome: NoticeOf<"reply">["outcome"]): void {
    if (!closed) post({ type: "reply", id, outcome });
  }

  async function run(id: number, send: (ask: Ask) => Promise<unknown>): Promise<void> {
    running += 1;
    try {
      const present = client();
      if (present === null) return answer(id, { ok: false, error: notConnected() });
      const value = (await send(createAsk(present))) as never;
      answer(id, { ok: true, value });
    } catch (error) {
      answer(id, { ok: false, error: fromUnknown(error).toWire() });
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  }

  return {
    take(id, send) {
      const start = (): void => void run(id, send);
      if (running < AT_ONCE) start();
      else if (waiting.length < MOST_WAITING) waiting.push(start);
      else {
        const error = new AppError("bad-usage", { what: "This view asks for too much at once." });
        answer(id, { ok: false, error: error.toWire() });
      }
    },
    close() {
      closed = true;
      waiting.length = 0;
    },
  };
}

async function act({ acts, post }: ViewSessionDeps, id: number, wanted: HostAct): Promise<void> {
  try {
    const run = acts[wanted.kind] as ((act: HostAct) => Promise<void>) | undefined;
    if (run === undefined)
      throw new AppError("bad-usage", { what: "This can be done in VS Code only." });
    await run(wanted);
    post({ type: "reply", id, outcome: { ok: true, value: null } });
  } catch (error) {
    post({ type: "reply", id, outcome: { ok: false, error: fromUnknown(error).toWire() } });
  }
}

/** What flows by itself: the feed's batches and the words about changes. Nothing runs while nothing happens. */
function createFlow(deps: ViewSessionDeps, now: () => number) {
  const { post, say } = deps;
  const feed = createFeed();
  const changed = createChanged();
  let following: Following | null = null;
  let feedTimer: ReturnType<typeof setTimeout> | null = null;
  let changedTimer: ReturnType<typeof setTimeout> | null = null;

  function pump(): void {
    feedTimer = null;
    const batch = feed.take(now());
    if (batch !== null) post({ type: "feed", batch });
    if (feed.isBusy(now())) armFeed();
  }

  function armFeed(): void {
    feedTimer ??= setTimeout(pump, BATCH_MS);
  }

  function tell(): void {
    changedTimer = null;
    const news = changed.take();
    if (news !== null) post({ type: "changed", changed: news });
  }

  function hear(event: FollowEvent): void {
    if (changed.note(event)) changedTimer ??= setTimeout(tell, CHANGED_MS);
    if (!feed.isOpen) return;
    for (const row of toRows(event, say)) feed.hear(row, now());
    armFeed();
  }

  function stop(): void {
    following?.stop();
    following = null;
    if (feedTimer !== null) clearTimeout(feedTimer);
    if (changedTimer !== null) clearTimeout(changedTimer);
    feedTimer = null;
    changedTimer = null;
  }

  function setLive(on: boolean): void {
    if (on && following === null) {
      following = deps.follow(hear);
      // Nobody listened meanwhile: anything may have changed.
      post({ type: "changed", changed: { queues: true, dead: true, runs: [], tasks: null } });
      if (feed.isBusy(now())) armFeed();
    } else if (!on) stop();
    post({ type: "live", on });
  }

  return {
    /** The view begins anew. */
    restart(): void {
      stop();
      feed.close();
      changed.take();
      following = deps.follow(hear);
      post({ type: "live", on: true });
    },
    setLive,
    openFeed(open: boolean): void {
      if (open) feed.open();
      else feed.close();
      if (open && following !== null) armFeed();
    },
    ack(batch: number): void {
      feed.ack(batch);
      if (following !== null && feed.isBusy(now())) armFeed();
    },
    close(): void {
      stop();
      feed.close();
    },
  };
}

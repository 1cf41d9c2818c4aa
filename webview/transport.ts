import { type ReadonlySignal, signal } from "@preact/signals";
import { SIGNED_OUT_CODE, type ViewCommand, type ViewNotice } from "../shared/view/messages.ts";

/** Whether messages reach the host. Instants are epoch ms. */
export type Link =
  | { readonly kind: "open" }
  /** `nextTryAt` null: an attempt is on its way. */
  | {
      readonly kind: "closed";
      readonly since: number;
      readonly attempt: number;
      readonly nextTryAt: number | null;
    }
  /** The daemon does not know this browser (any more): trying again is of no use. */
  | { readonly kind: "signed-out"; readonly since: number };

/** How messages travel; the same for both hosts. */
export interface Transport {
  readonly kind: "vscode" | "browser";
  readonly link: ReadonlySignal<Link>;
  /** False when there is no link; the command is dropped then. */
  send(command: ViewCommand): boolean;
  listen(listener: (notice: ViewNotice) => void): void;
  retryNow(): void;
  readState(): unknown;
  saveState(state: unknown): void;
}

interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare global {
  /** There only in a webview of VS Code, and to be called only once. */
  var acquireVsCodeApi: (() => VsCodeApi) | undefined;
}

/** The transport of wherever this page runs. */
export function openTransport(): Transport {
  const acquire = globalThis.acquireVsCodeApi;
  return acquire === undefined ? createSocketTransport() : createVsCodeTransport(acquire());
}

function createVsCodeTransport(api: VsCodeApi): Transport {
  return {
    kind: "vscode",
    link: signal<Link>({ kind: "open" }),
    send(command) {
      api.postMessage(command);
      return true;
    },
    listen(listener) {
      window.addEventListener("message", (event: MessageEvent<ViewNotice>) => {
        listener(event.data);
      });
    },
    retryNow() {},
    readState: () => api.getState(),
    saveState: (state) => api.setState(state),
  };
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 10_000;
const STATE_KEY = "msg_sys.view";

/** How long to wait before attempt `n` (from 1): doubles up to ten seconds, a fifth of it by chance. */
export function reconnectDelayMs(attempt: number, random: number): number {
  const full = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  return Math.round(full * (0.8 + 0.2 * random));
}

function socketUrl(): string {
  const url = new URL("/socket", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

/** A WebSocket on the page's own origin, opened again whenever it closes. */
export function createSocketTransport(open = () => new WebSocket(socketUrl())): Transport {
  const link = signal<Link>({ kind: "closed", since: Date.now(), attempt: 0, nextTryAt: null });
  let listener: (notice: ViewNotice) => void = () => {};
  let socket: WebSocket | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function dial(): void {
    clearTimeout(timer);
    const before = link.value;
    const since = before.kind === "open" ? Date.now() : before.since;
    const attempt = before.kind === "closed" ? before.attempt + 1 : 1;
    link.value = { kind: "closed", since, attempt, nextTryAt: null };
    const mine = open();
    socket = mine;
    mine.addEventListener("open", () => {
      link.value = { kind: "open" };
    });
    mine.addEventListener("message", (event: MessageEvent<string>) => {
      listener(JSON.parse(event.data) as ViewNotice);
    });
    mine.addEventListener("close", (event) => {
      if (socket === mine) planNext(event.code);
    });
  }

  function planNext(code: number): void {
    socket = null;
    const before = link.value;
    const since = before.kind === "open" ? Date.now() : before.since;
    if (code === SIGNED_OUT_CODE) {
      link.value = { kind: "signed-out", since };
      return;
    }
    const attempt = before.kind === "closed" ? before.attempt : 0;
    const delayMs = reconnectDelayMs(attempt + 1, Math.random());
    link.value = { kind: "closed", since, attempt, nextTryAt: Date.now() + delayMs };
    timer = setTimeout(dial, delayMs);
  }

  dial();
  return {
    kind: "browser",
    link,
    send(command) {
      if (link.value.kind !== "open" || socket === null) return false;
      socket.send(JSON.stringify(command));
      return true;
    },
    listen(to) {
      listener = to;
    },
    retryNow() {
      if (link.value.kind !== "open" && socket === null) dial();
    },
    readState,
    saveState,
  };
}

/** A tab's own state: it survives a reload, and another tab has another. */
function readState(): unknown {
  try {
    return JSON.parse(sessionStorage.getItem(STATE_KEY) ?? "null");
  } catch {
    // Ignored: storage may be forbidden, or hold something else; the view starts without a state.
    return null;
  }
}

function saveState(state: unknown): void {
  try {
    sessionStorage.setItem(STATE_KEY, JSON.stringify(state));
  } catch {
    // Ignored: storage may be forbidden or full; only the next reload forgets.
  }
}

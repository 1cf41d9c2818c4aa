import type { RequestOf, ResponseOf } from "../shared/control.ts";
import type { WireError } from "../shared/errors.ts";
import type { HostAct, ViewCommand, ViewNotice, ViewVerb } from "../shared/view/messages.ts";
import type { Transport } from "./transport.ts";
import { t } from "./ui/text.ts";

/** What came of a request: a refusal is a value, never a throw. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

/** The view's one door to its host: the extension in VS Code, the daemon in a browser. */
export interface Host {
  readonly kind: Transport["kind"];
  /** Whether messages can pass at all; only a browser's can be closed. */
  readonly link: Transport["link"];
  post(command: ViewCommand): void;
  /** Hears every notice but replies; the answer ends that. */
  onNotice(listener: (notice: ViewNotice) => void): () => void;
  /** Asks the daemon. Answers always: `connection-lost` when the link closed first, `timed-out` after 60 s. */
  request<V extends ViewVerb>(verb: V, body: RequestOf<V>): Promise<Outcome<ResponseOf[V]>>;
  /** Asks for something that only the host can do. */
  act(act: HostAct): Promise<Outcome<null>>;
  /** Tries a closed link at once. */
  retryNow(): void;
  readState(): unknown;
  saveState(state: unknown): void;
}

/** No act takes longer: a bulk act on 10,000 tasks takes a few seconds. */
const ANSWER_WITHIN_MS = 60_000;

function lost(): WireError {
  return {
    code: "connection-lost",
    message: t("The connection was lost before the answer came."),
    hint: t("Look whether it was done, and try again when there is a connection."),
  };
}

function late(): WireError {
  return {
    code: "timed-out",
    message: t("There was no answer within a minute."),
    hint: t("Look whether it was done before you try again."),
  };
}

/** Pairs requests with their replies by number. */
function createDesk() {
  const open = new Map<number, (outcome: Outcome<unknown>) => void>();
  let last = 0;
  return {
    /** Takes the next number; `send` answers false when nothing could be sent. */
    ask(send: (id: number) => boolean): Promise<Outcome<unknown>> {
      last += 1;
      const id = last;
      return new Promise((resolve) => {
        const timer = setTimeout(() => settle({ ok: false, error: late() }), ANSWER_WITHIN_MS);
        const settle = (outcome: Outcome<unknown>): void => {
          clearTimeout(timer);
          open.delete(id);
          resolve(outcome);
        };
        open.set(id, settle);
        if (!send(id)) settle({ ok: false, error: lost() });
      });
    },
    answer(id: number, outcome: Outcome<unknown>): void {
      open.get(id)?.(outcome);
    },
    loseAll(): void {
      for (const settle of [...open.values()]) settle({ ok: false, error: lost() });
    },
  };
}

/** The host behind a transport. Says `ready` whenever the link opens, so that the host tells everything anew. */
export function createHost(transport: Transport): Host {
  const desk = createDesk();
  const listeners = new Set<(notice: ViewNotice) => void>();

  transport.listen((notice) => {
    if (notice.type === "reply") desk.answer(notice.id, notice.outcome);
    else for (const listener of [...listeners]) listener(notice);
  });
  let wasOpen = false;
  transport.link.subscribe((link) => {
    const isOpen = link.kind === "open";
    if (isOpen && !wasOpen) transport.send({ type: "ready" });
    if (!isOpen && wasOpen) desk.loseAll();
    wasOpen = isOpen;
  });

  return {
    kind: transport.kind,
    link: transport.link,
    post: (command) => {
      transport.send(command);
    },
    onNotice(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    // The pairing by number is what makes the reply one to this verb.
    request: <V extends ViewVerb>(verb: V, body: RequestOf<V>) =>
      desk.ask((id) =>
        transport.send({ type: "request", id, verb, body } as ViewCommand),
      ) as Promise<Outcome<ResponseOf[V]>>,
    act: (act) =>
      desk.ask((id) => transport.send({ type: "host", id, act })) as Promise<Outcome<null>>,
    retryNow: transport.retryNow,
    readState: transport.readState,
    saveState: transport.saveState,
  };
}

import type { Msg, MsgCallback, Status, Subscription } from "@nats-io/nats-core";
import type { Bus } from "../../../../shared/bus/client.ts";
import type { Reply } from "../../../../shared/control.ts";
import { createNames, type Names } from "../../../../shared/subjects.ts";

export interface SeenRequest {
  readonly subject: string;
  readonly verb: string;
  readonly level: number | null;
  readonly body: unknown;
}

/** What stands in for a broker and a daemon: answers requests, tells facts, reconnects when told to. */
export interface FakeBus {
  readonly bus: Bus;
  readonly seen: SeenRequest[];
  /** Delivers a message to every subscription whose subject is exactly or by wildcard this one. */
  tell(subject: string, data: unknown): void;
  reconnect(): void;
  openSubscriptions(): number;
}

export const names: Names = createNames("ms");

/** An error of the NATS client, which is known by its name. */
export function natsError(name: string): Error {
  return Object.assign(new Error(name), { name });
}

export function createFakeBus(
  answer: (request: SeenRequest) => unknown,
  { maxPayload = 8_388_608 }: { maxPayload?: number } = {},
): FakeBus {
  const seen: SeenRequest[] = [];
  const open: { subject: string; callback: MsgCallback<Msg> }[] = [];
  let push: ((status: Status) => void) | null = null;
  const bus = {
    info: { max_payload: maxPayload } as NonNullable<Bus["info"]>,
    getServer: () => "127.0.0.1:4222",
    isClosed: () => false,
    async request(subject: string, payload: string) {
      const parsed = names.parseApi(subject);
      const request: SeenRequest = {
        subject,
        verb: parsed?.verb ?? "?",
        level: parsed?.level ?? null,
        body: JSON.parse(payload),
      };
      seen.push(request);
      const value = await answer(request);
      const reply: Reply<unknown> =
        typeof value === "object" && value !== null && "refusal" in value
          ? { ok: false, error: value.refusal as never }
          : { ok: true, value };
      const text = JSON.stringify(reply);
      return { json: () => JSON.parse(text), string: () => text } as unknown as Msg;
    },
    subscribe(subject: string, options: { callback: MsgCallback<Msg> }) {
      const entry = { subject, callback: options.callback };
      open.push(entry);
      return {
        unsubscribe: () => {
          const at = open.indexOf(entry);
          if (at >= 0) open.splice(at, 1);
        },
      } as unknown as Subscription;
    },
    async *status(): AsyncGenerator<Status> {
      const queue: Status[] = [];
      let wake = (): void => {};
      push = (status) => {
        queue.push(status);
        wake();
      };
      for (;;) {
        const next = queue.shift();
        if (next !== undefined) yield next;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
    },
  };
  return {
    bus: bus as unknown as Bus,
    seen,
    tell(subject, data) {
      const text = typeof data === "string" ? data : JSON.stringify(data);
      for (const { subject: pattern, callback } of [...open])
        if (matches(pattern, subject))
          void callback(null, {
            subject,
            json: () => JSON.parse(text),
            string: () => text,
          } as unknown as Msg);
    },
    reconnect: () => push?.({ type: "reconnect", server: "127.0.0.1:4222" }),
    openSubscriptions: () => open.length,
  };
}

function matches(pattern: string, subject: string): boolean {
  const [want, have] = [pattern.split("."), subject.split(".")];
  for (const [at, token] of want.entries()) {
    if (token === ">") return have.length > at;
    if (token !== "*" && token !== have[at]) return false;
  }
  return want.length === have.length;
}

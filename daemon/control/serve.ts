import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { Reply } from "../../shared/control.ts";
import { AppError } from "../../shared/errors.ts";
import type { Names } from "../../shared/subjects.ts";
import type { Control } from "./call.ts";

export interface ServeDeps {
  readonly nc: NatsConnection;
  readonly names: Names;
  readonly control: Control;
}

/**
 * The control API on the wire: every request is one message on `<prefix>.api.v1.<user>.<verb>[.<level>]`, which only that
 * user may publish; every answer a `Reply`.
 */
export async function serveControl(deps: ServeDeps): Promise<{ stop(): Promise<void> }> {
  const inFlight = new Set<Promise<void>>();
  const sub = deps.nc.subscribe(deps.names.apiAll, {
    callback: (_err, m) => {
      const work = answer(deps, m);
      inFlight.add(work);
      void work.finally(() => inFlight.delete(work));
    },
  });
  // Without this the first request after `ready` could find nobody.
  await deps.nc.flush();
  return {
    async stop() {
      sub.unsubscribe();
      await Promise.allSettled(inFlight);
    },
  };
}

async function answer({ nc, names, control }: ServeDeps, m: Msg): Promise<void> {
  const where = names.parseApi(m.subject);
  const reply: Reply<unknown> =
    where === null ? refused(m.subject) : await control({ ...where, body: m.data });
  if (m.reply && !nc.isClosed()) nc.publish(m.reply, JSON.stringify(reply));
}

function refused(subject: string): Reply<never> {
  const error = new AppError("bad-usage", { what: `${subject} is no control subject.` });
  return { ok: false, error: error.toWire() };
}

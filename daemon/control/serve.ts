import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type {
  BulkOutcome,
  ParsedRequestOf,
  Reply,
  ResponseOf,
  Verb,
} from "../../shared/control.ts";
import { VERBS } from "../../shared/control.ts";
import { AppError, describe, fromUnknown, type WireError } from "../../shared/errors.ts";
import { highestLevelOf, type Role } from "../../shared/roles.ts";
import type { Names } from "../../shared/subjects.ts";
import type { AuditStore } from "../audit/audit-store.ts";
import type { Log } from "../log.ts";
import { isStreamFull, OutcomeUnknown } from "../nats/wire.ts";
import { authorize, type Caller, INTERNAL_VERBS, wordsOf } from "./authorize.ts";

/** What a handler gets beside the parsed request. */
export interface Call {
  readonly caller: Caller;
  /** The highest level that this request may set or touch. */
  readonly maxLevel: number;
}

export type Handlers = {
  readonly [V in Verb]: (
    request: ParsedRequestOf<V>,
    call: Call,
  ) => Promise<ResponseOf[V]> | ResponseOf[V];
};

export interface ServeDeps {
  readonly nc: NatsConnection;
  readonly names: Names;
  readonly audit: AuditStore;
  readonly handlers: Handlers;
  /** For our own workers: which of these tasks ended. */
  terminal(ids: readonly string[]): readonly string[] | Promise<readonly string[]>;
  /** For our own workers: whether somebody else runs tasks of this name, or was announced to. */
  knownElsewhere(name: string): boolean;
  roleOf(user: string): Role | null;
  /** Why the broker can store nothing now; null while it can. */
  storageFailure(): AppError | null;
  readonly now: () => number;
  readonly log: Log;
}

/**
 * The control API: every request is one message on `<prefix>.api.v1.<user>.<verb>[.<level>]`, every answer a `Reply`.
 * Refusals are values and are audited; a handler's own failure is logged and answered as `internal`.
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

async function answer(deps: ServeDeps, m: Msg): Promise<void> {
  let reply: Reply<unknown>;
  try {
    reply = { ok: true, value: await handle(deps, m) };
  } catch (error) {
    const known = toAppError(deps, error);
    if (known.code === "internal")
      deps.log.error("request failed", {
        subject: m.subject,
        error: known.message,
        stack: String((error as Error)?.stack ?? ""),
      });
    reply = { ok: false, error: known.toWire() };
  }
  if (m.reply && !deps.nc.isClosed()) deps.nc.publish(m.reply, JSON.stringify(reply));
}

/** What the broker kept from being done is told as such: it is no defect of ours. */
function toAppError(deps: ServeDeps, error: unknown): AppError {
  if (isStreamFull(error)) return new AppError("queue-full", { what: describe(error) }, error);
  if (error instanceof OutcomeUnknown)
    return (
      deps.storageFailure() ?? new AppError("broker-unavailable", { what: error.message }, error)
    );
  return fromUnknown(error);
}

async function handle(deps: ServeDeps, m: Msg): Promise<unknown> {
  const where = deps.names.parseApi(m.subject);
  if (where === null)
    throw new AppError("bad-usage", { what: `${m.subject} is no control subject.` });
  if (where.user === "worker") return handleWorker(deps, where.verb, where.level, m);
  const role = deps.roleOf(where.user);
  if (role === null) throw new AppError("user-not-found", { user: where.user });
  if (!isVerb(where.verb))
    throw new AppError("bad-usage", { what: `There is no request ${wordsOf(where.verb)}.` });
  const caller: Caller = { user: where.user, role, internal: false };
  return runVerb(deps, where.verb, caller, where.level, m);
}

async function handleWorker(
  deps: ServeDeps,
  verb: string,
  level: number | null,
  m: Msg,
): Promise<unknown> {
  if (verb === "known") return deps.knownElsewhere(m.json<{ name: string }>().name);
  if (verb === "terminal") return deps.terminal(m.json<{ ids: string[] }>().ids);
  if (!isVerb(verb) || !(INTERNAL_VERBS as readonly string[]).includes(verb)) {
    throw new AppError("not-permitted", {
      user: "worker",
      role: "worker",
      act: wordsOf(verb),
      needs: "a person",
    });
  }
  return runVerb(deps, verb, { user: "worker", role: "Admin", internal: true }, level, m);
}

async function runVerb(
  deps: ServeDeps,
  verb: Verb,
  caller: Caller,
  level: number | null,
  m: Msg,
): Promise<unknown> {
  try {
    const maxLevel = authorize(caller, verb, level);
    const request = parse(verb, m);
    const handler = deps.handlers[verb] as (request: unknown, call: Call) => unknown;
    const value = await handler(request, { caller, maxLevel });
    for (const { error, target } of refusalsIn(request, value))
      auditRefusal(deps, verb, caller, error, target);
    return value;
  } catch (error) {
    if (error instanceof AppError) auditRefusal(deps, verb, caller, error, targetOf(m));
    throw error;
  }
}

function auditRefusal(
  deps: ServeDeps,
  verb: Verb,
  { user, role }: Caller,
  { code, message, details }: Pick<WireError, "code" | "message" | "details">,
  target: string | null,
): void {
  if (code !== "not-permitted") return;
  const level = details?.["level"];
  // The role has this right and only the subject named a lower level: clients ask again with the level they are told.
  if (typeof level === "number" && level <= highestLevelOf(role)) return;
  deps.audit.refused({ at: deps.now(), user, role, verb, what: message, target });
}

type ItemRefusal = { readonly error: WireError; readonly target: string | null };

/** Acts on many answer with what became of each: a refusal among them counts as one of a request of its own. */
function refusalsIn(request: unknown, value: unknown): ItemRefusal[] {
  if (typeof value !== "object" || value === null) return [];
  if ("refused" in value)
    return (value as BulkOutcome).refused.map(({ id, error }) => ({ error, target: id }));
  if (!("outcomes" in value)) return [];
  const { items } = request as ParsedRequestOf<"enqueue">;
  return (value as ResponseOf["enqueue"]).outcomes.flatMap((outcome, at) =>
    "error" in outcome
      ? [{ error: outcome.error, target: items[at]?.id ?? items[at]?.name ?? null }]
      : [],
  );
}

function isVerb(verb: string): verb is Verb {
  return Object.hasOwn(VERBS, verb);
}

function parse(verb: Verb, m: Msg): unknown {
  let body: unknown;
  try {
    body = m.data.length === 0 ? {} : m.json();
  } catch (error) {
    throw new AppError("bad-usage", { what: `The request ${wordsOf(verb)} is not JSON.` }, error);
  }
  const result = VERBS[verb].request.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AppError("bad-usage", {
    what: `The request ${wordsOf(verb)} is not valid at ${placeOf(issue?.path)}: ${issue?.message ?? ""}`,
  });
}

/** `items.0.id` of one task is its `id` for whoever asked. */
function placeOf(path: readonly PropertyKey[] = []): string {
  return path.join(".").replace(/^items\.0\./, "") || "(root)";
}

/** The task or run that a refused request was about, for the audit. */
function targetOf(m: Msg): string | null {
  const text = new TextDecoder().decode(m.data.subarray(0, 2000));
  const found =
    /"(?:id|runId|name|pipeline)"\s*:\s*"([^"]{1,200})"/.exec(text) ??
    /"ids"\s*:\s*\[\s*"([^"]{1,200})"\s*\]/.exec(text);
  return found?.[1] ?? null;
}

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

export interface ControlDeps {
  readonly audit: Pick<AuditStore, "refused">;
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

/** One request, as it came: who asks is vouched for by the broker, or by a dashboard's session. */
export interface RawRequest {
  readonly user: string;
  readonly verb: string;
  readonly level: number | null;
  /** JSON; empty: `{}`. */
  readonly body: Uint8Array;
}

/** The one way to every verb: parse, authorize, call, answer. Refusals are values and are audited. Never rejects. */
export type Control = (request: RawRequest) => Promise<Reply<unknown>>;

export function createControl(deps: ControlDeps): Control {
  return async (request) => {
    try {
      return { ok: true, value: await handle(deps, request) };
    } catch (error) {
      const known = toAppError(deps, error);
      if (known.code === "internal")
        deps.log.error("request failed", {
          user: request.user,
          verb: request.verb,
          error: known.message,
          stack: String((error as Error)?.stack ?? ""),
        });
      return { ok: false, error: known.toWire() };
    }
  };
}

/** What the broker kept from being done is told as such: it is no defect of ours. */
function toAppError(deps: ControlDeps, error: unknown): AppError {
  if (isStreamFull(error)) return new AppError("queue-full", { what: describe(error) }, error);
  if (error instanceof OutcomeUnknown)
    return (
      deps.storageFailure() ?? new AppError("broker-unavailable", { what: error.message }, error)
    );
  return fromUnknown(error);
}

async function handle(deps: ControlDeps, request: RawRequest): Promise<unknown> {
  const { user, verb } = request;
  if (user === "worker") return handleWorker(deps, request);
  const role = deps.roleOf(user);
  if (role === null) throw new AppError("user-not-found", { user });
  if (!isVerb(verb))
    throw new AppError("bad-usage", { what: `There is no request ${wordsOf(verb)}.` });
  return runVerb(deps, verb, { user, role, internal: false }, request);
}

async function handleWorker(deps: ControlDeps, request: RawRequest): Promise<unknown> {
  const { verb } = request;
  if (verb === "known") return deps.knownElsewhere(fromJson<{ name: string }>(request.body).name);
  if (verb === "terminal") return deps.terminal(fromJson<{ ids: string[] }>(request.body).ids);
  if (!isVerb(verb) || !(INTERNAL_VERBS as readonly string[]).includes(verb)) {
    throw new AppError("not-permitted", {
      user: "worker",
      role: "worker",
      act: wordsOf(verb),
      needs: "a person",
    });
  }
  return runVerb(deps, verb, { user: "worker", role: "Admin", internal: true }, request);
}

async function runVerb(
  deps: ControlDeps,
  verb: Verb,
  caller: Caller,
  raw: RawRequest,
): Promise<unknown> {
  try {
    const maxLevel = authorize(caller, verb, raw.level);
    const request = parse(verb, raw.body);
    const handler = deps.handlers[verb] as (request: unknown, call: Call) => unknown;
    const value = await handler(request, { caller, maxLevel });
    for (const { error, target } of refusalsIn(request, value))
      auditRefusal(deps, verb, caller, error, target);
    return value;
  } catch (error) {
    if (error instanceof AppError) auditRefusal(deps, verb, caller, error, targetOf(raw.body));
    throw error;
  }
}

function auditRefusal(
  deps: ControlDeps,
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

function fromJson<T>(body: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(body)) as T;
}

function parse(verb: Verb, bytes: Uint8Array): unknown {
  let body: unknown;
  try {
    body = bytes.length === 0 ? {} : fromJson(bytes);
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
function targetOf(body: Uint8Array): string | null {
  const text = new TextDecoder().decode(body.subarray(0, 2000));
  const found =
    /"(?:id|runId|name|pipeline)"\s*:\s*"([^"]{1,200})"/.exec(text) ??
    /"ids"\s*:\s*\[\s*"([^"]{1,200})"\s*\]/.exec(text);
  return found?.[1] ?? null;
}

import type { NatsConnection } from "@nats-io/nats-core";
import type { Reply, RequestOf, ResponseOf, Verb } from "../control.ts";
import { AppError, describe, fromWire } from "../errors.ts";
import { LEVEL_NAMES } from "../priority.ts";
import { leastRoleFor, leastRoleForLevel, type Role, roleAtLeast } from "../roles.ts";
import type { Names } from "../subjects.ts";

/** The part of a NATS connection that the client uses. */
export type Bus = Pick<
  NatsConnection,
  "request" | "subscribe" | "status" | "getServer" | "info" | "isClosed"
>;

/** `level` is the highest level that the request sets; it stands in the subject, where the broker checks it. */
export interface RequestOptions {
  readonly level?: number | undefined;
  /** Default 5000. */
  readonly timeoutMs?: number | undefined;
}

/** Sends control requests. Every rejection is an AppError. */
export interface Requester {
  request<V extends Verb>(
    verb: V,
    request: RequestOf<V>,
    options?: RequestOptions,
  ): Promise<ResponseOf[V]>;
  /** The same with a body that is JSON already. */
  send<V extends Verb>(verb: V, body: string, options?: RequestOptions): Promise<ResponseOf[V]>;
}

export interface RequesterDeps {
  readonly nc: Bus;
  /** The caller; stands in the subject of every request. */
  readonly user: string;
  readonly names: Names;
  /** What messages name as the place of the daemon: its data directory or address. */
  readonly where?: string | undefined;
}

const DEFAULT_TIMEOUT_MS = 5000;

export function createRequester(deps: RequesterDeps): Requester {
  const { nc, user, names } = deps;

  async function send<V extends Verb>(
    verb: V,
    body: string,
    { level, timeoutMs = DEFAULT_TIMEOUT_MS }: RequestOptions = {},
  ): Promise<ResponseOf[V]> {
    let reply: Reply<ResponseOf[V]>;
    try {
      const message = await nc.request(names.api(user, verb, level), body, { timeout: timeoutMs });
      reply = message.json<Reply<ResponseOf[V]>>();
    } catch (error) {
      throw await explain(error, verb, level, timeoutMs);
    }
    if (reply.ok) return reply.value;
    throw fromWire(reply.error);
  }

  async function explain(
    error: unknown,
    verb: Verb,
    level: number | undefined,
    timeoutMs: number,
  ): Promise<AppError> {
    const kind = kindOf(error);
    if (kind === "refused") return refusal(verb, level, error);
    return plainError(kind, error, {
      where: deps.where ?? nc.getServer(),
      url: nc.getServer(),
      what: `${verb} had no answer within ${timeoutMs} ms`,
    });
  }

  /** The broker refuses without a word about roles; the daemon tells ours, so that the message can name both. */
  async function refusal(verb: Verb, level: number | undefined, cause: unknown): Promise<AppError> {
    const { VERBS } = await import("../control.ts");
    const role = await ownRole(verb);
    const least = leastRoleFor(VERBS[verb].permission);
    const forLevel = level === undefined ? least : leastRoleForLevel(level);
    return new AppError(
      "not-permitted",
      {
        user,
        role,
        act: actWords(verb, level),
        needs: roleAtLeast(least, forLevel) ? least : forLevel,
      },
      cause,
    );
  }

  async function ownRole(refused: Verb): Promise<Role | "unknown role"> {
    if (refused === "whoami") return "unknown role";
    try {
      return (await send("whoami", "{}", { timeoutMs: 2000 })).role;
    } catch {
      // Ignored: the role only completes the message of another error, which is the one to tell.
      return "unknown role";
    }
  }

  return {
    send,
    request: (verb, request, options) => send(verb, JSON.stringify(request), options),
  };
}

/** `escalate at level 9 (Urgent)`, `use user add`. */
function actWords(verb: Verb, level: number | undefined): string {
  return level === undefined
    ? `use ${verb.replaceAll("_", " ")}`
    : `${verb} at level ${level} (${LEVEL_NAMES[level] ?? "?"})`;
}

type FailureKind = "nobody" | "refused" | "timeout" | "closed" | "answer" | "other";

/** The NATS client's errors are told apart by name: the classes of two copies of it are not the same. */
function kindOf(error: unknown): FailureKind {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    // The class is NoRespondersError, its name is not.
    if (e.name === "NoResponders") return "nobody";
    if (e.name === "PermissionViolationError") return "refused";
    if (e.name === "TimeoutError") return "timeout";
    if (e.name === "ClosedConnectionError" || e.name === "DrainingConnectionError") return "closed";
    if (e.name === "RequestError" && e.message === "connection closed") return "closed";
    if (e.name === "SyntaxError") return "answer";
  }
  return "other";
}

function plainError(
  kind: Exclude<FailureKind, "refused">,
  error: unknown,
  { where, url, what }: { where: string; url: string; what: string },
): AppError {
  switch (kind) {
    case "nobody":
      return new AppError("daemon-not-running", { dataDir: where }, error);
    case "timeout":
      return new AppError("broker-unavailable", { what }, error);
    case "closed":
      return new AppError("connection-lost", { url }, error);
    case "answer":
      return new AppError(
        "internal",
        { what: `The answer is not JSON: ${describe(error)}` },
        error,
      );
    case "other":
      return new AppError("broker-unavailable", { what: describe(error) }, error);
  }
}

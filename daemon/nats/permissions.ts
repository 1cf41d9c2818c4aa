import { VERBS, type Verb } from "../../shared/control.ts";
import { type InternalUser, inboxPrefixOf } from "../../shared/login.ts";
import { can, highestLevelOf, type Role } from "../../shared/roles.ts";
import { EGOS_ROOT, EVENTS_ROOT, type Names } from "../../shared/subjects.ts";

export { INTERNAL_USERS, type InternalUser, inboxPrefixOf } from "../../shared/login.ts";

/** Who logs in: one of our own processes, or a person with a role. */
export type Login =
  | { readonly kind: "internal"; readonly name: InternalUser }
  | { readonly kind: "person"; readonly name: string; readonly role: Role };

/** Subjects that a login may publish and subscribe; everything else is refused by the broker. */
export interface LoginPermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

/** What the broker lets a login do. */
export function permissionsOf(login: Login, names: Names): LoginPermissions {
  if (login.kind === "person") return personPermissions(login.name, login.role, names);
  switch (login.name) {
    case "daemon":
      // Everything in its own account; the server's internals are in another one.
      return { publish: [">"], subscribe: [">"] };
    case "worker":
      return workerPermissions(names);
    case "sys":
      return SYS_PERMISSIONS;
  }
}

/** Reload and the life of connections: nothing else of the system account is needed. */
const SYS_PERMISSIONS: LoginPermissions = {
  publish: ["$SYS.REQ.SERVER.*.RELOAD"],
  subscribe: [`${inboxPrefixOf("sys")}.>`, "$SYS.ACCOUNT.*.DISCONNECT"],
};

/**
 * The control subjects of a person. The name stands in the subject, so nobody speaks for another; the level stands in it
 * for verbs that set one, so the broker itself refuses a level above the role.
 */
export function apiSubjects(user: string, role: Role, names: Names): string[] {
  const verbs = Object.keys(VERBS) as Verb[];
  return verbs.flatMap((verb) => {
    const { permission, levelled } = VERBS[verb];
    if (!can(role, permission)) return [];
    if (!levelled) return [names.api(user, verb)];
    const levels = Array.from({ length: highestLevelOf(role) + 1 }, (_, level) => level);
    return levels.map((level) => names.api(user, verb, level));
  });
}

/** What people may listen to besides their own replies: facts and events, never tasks with their inputs. */
function readSubjects({ prefix }: Names): string[] {
  return [`${prefix}.fact.>`, `${prefix}.event.>`, `${EVENTS_ROOT}.>`, `${EGOS_ROOT}.>`];
}

function personPermissions(user: string, role: Role, names: Names): LoginPermissions {
  return {
    publish: apiSubjects(user, role, names),
    subscribe: [`${inboxPrefixOf(user)}.>`, ...readSubjects(names)],
  };
}

/**
 * Workers are trusted with the tasks' life, but not with streams: they cannot make, purge or delete one, nor touch
 * consumers of another stream than the tasks'.
 */
function workerPermissions(names: Names): LoginPermissions {
  const { prefix, stream, kv } = names;
  const results = `KV_${kv.results}`;
  return {
    publish: [
      "$JS.API.INFO",
      `$JS.API.CONSUMER.MSG.NEXT.${stream.tasks}.>`,
      `$JS.ACK.${stream.tasks}.>`,
      ...["CREATE", "DURABLE.CREATE", "INFO", "NAMES", "LIST"].flatMap((act) => [
        `$JS.API.CONSUMER.${act}.${stream.tasks}`,
        `$JS.API.CONSUMER.${act}.${stream.tasks}.>`,
      ]),
      `$JS.API.STREAM.MSG.DELETE.${stream.tasks}`,
      ...[stream.tasks, stream.state, stream.due, results].flatMap(streamReads),
      `$KV.${kv.results}.>`,
      `${prefix}.task.*.*.*`,
      ...["state", "dead", "due", "event", "worker", "api.v1.worker"].map(
        (kind) => `${prefix}.${kind}.>`,
      ),
      `${EVENTS_ROOT}.>`,
    ],
    subscribe: [`${inboxPrefixOf("worker")}.>`, `${prefix}.bell.>`, `${prefix}.worker.order.>`],
  };
}

/** Reading single messages of a stream, at any replica or at its leader. */
function streamReads(stream: string): string[] {
  return [
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.STREAM.MSG.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}`,
    `$JS.API.DIRECT.GET.${stream}.>`,
  ];
}

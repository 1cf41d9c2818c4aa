import { expect, test } from "vitest";
import { apiSubjects, permissionsOf } from "../../../../daemon/nats/permissions.ts";
import { VERBS, type Verb } from "../../../../shared/control.ts";
import { ROLES } from "../../../../shared/roles.ts";
import { createNames } from "../../../../shared/subjects.ts";

const names = createNames();
const verbs = Object.keys(VERBS) as Verb[];
const person = (role: (typeof ROLES)[number]) =>
  permissionsOf({ kind: "person", name: "ann", role }, names);

test.each([
  ["Viewer", -1],
  ["Operator", 8],
  ["Manager", 9],
  ["Admin", 10],
] as const)("a %s may set levels up to %i with every levelled verb", (role, highest) => {
  const subjects = apiSubjects("ann", role, names);
  for (const verb of verbs.filter((v) => VERBS[v].levelled)) {
    const levels = subjects
      .map((subject) => names.parseApi(subject))
      .filter((parsed) => parsed?.verb === verb)
      .map((parsed) => parsed?.level);
    expect(levels, verb).toEqual(Array.from({ length: highest + 1 }, (_, n) => n));
  }
});

test("only an Admin may manage users", () => {
  const may = ROLES.filter((role) => person(role).publish.includes("ms.api.v1.ann.user_add"));
  expect(may).toEqual(["Admin"]);
});

test("people publish control requests in their own name and nothing else", () => {
  for (const role of ROLES)
    for (const subject of person(role).publish) expect(subject).toMatch(/^ms\.api\.v1\.ann\./);
});

test("no permission of a person has a wildcard to publish on", () => {
  for (const role of ROLES)
    for (const subject of person(role).publish) expect(subject).not.toMatch(/[*>]/);
});

test("people listen to their own replies, facts and events, never to tasks", () => {
  expect(person("Admin").subscribe).toEqual([
    "_INBOX_ann.>",
    "ms.fact.>",
    "ms.event.>",
    "events.>",
    "egos.>",
  ]);
});

test("another prefix changes every subject of ours", () => {
  const { publish } = permissionsOf({ kind: "internal", name: "worker" }, createNames("acme"));
  expect(publish).toContain("acme.task.*.*.*");
  expect(publish.filter((subject) => /\bms[._]|MS_/.test(subject))).toEqual([]);
});

test("a worker has no way to make, change or purge streams, nor consumers of other streams than the tasks'", () => {
  const { publish } = permissionsOf({ kind: "internal", name: "worker" }, names);
  const api = publish.filter((subject) => subject.startsWith("$JS.API."));
  expect(api.filter((subject) => /STREAM\.(CREATE|UPDATE|DELETE|PURGE)/.test(subject))).toEqual([]);
  const consumers = api.filter((subject) => subject.includes(".CONSUMER."));
  expect(consumers.filter((subject) => !/\.MS_TASKS(\.>)?$/.test(subject))).toEqual([]);
});

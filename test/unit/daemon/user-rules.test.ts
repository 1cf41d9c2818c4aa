import { expect, test } from "vitest";
import { changeUsers, ownerNameFrom, type UserRecord } from "../../../daemon/user-rules.ts";

const ann: UserRecord = { name: "ann", role: "Admin", publicKey: "UANN", createdAt: "t0" };
const bob: UserRecord = { name: "bob", role: "Operator", publicKey: "UBOB", createdAt: "t1" };
const refusal = (code: string) => expect.objectContaining({ code });

test("a new user is added with the key and role given", () => {
  const add = { kind: "add", name: "bob", role: "Operator", publicKey: "UBOB", at: "t1" } as const;
  expect(changeUsers([ann], add)).toEqual([ann, bob]);
});

test("role, key and removal change that user only", () => {
  const users = [ann, bob];
  expect(changeUsers(users, { kind: "role", name: "bob", role: "Manager" })).toEqual([
    ann,
    { ...bob, role: "Manager" },
  ]);
  expect(changeUsers(users, { kind: "rotate", name: "bob", publicKey: "UNEW" })).toEqual([
    ann,
    { ...bob, publicKey: "UNEW" },
  ]);
  expect(changeUsers(users, { kind: "remove", name: "bob" })).toEqual([ann]);
});

test("the last Admin stays, and stays Admin", () => {
  const users = [ann, bob];
  expect(() => changeUsers(users, { kind: "remove", name: "ann" })).toThrow(refusal("last-admin"));
  expect(() => changeUsers(users, { kind: "role", name: "ann", role: "Manager" })).toThrow(
    refusal("last-admin"),
  );
  const two = changeUsers(users, { kind: "role", name: "bob", role: "Admin" });
  expect(changeUsers(two, { kind: "remove", name: "ann" }).map(({ name }) => name)).toEqual([
    "bob",
  ]);
});

test("a name that exists, is ours or cannot stand in a subject is refused", () => {
  const add = (name: string) => () =>
    changeUsers([ann], { kind: "add", name, role: "Viewer", publicKey: "UX", at: "t" });
  expect(add("ann")).toThrow(refusal("user-exists"));
  for (const name of ["worker", "daemon", "sys", "a.b", "Ann", "a>", ""])
    expect(add(name), name).toThrow(refusal("bad-usage"));
});

test("a key in use is refused, for the broker tells people apart by their keys", () => {
  const add = (publicKey: string) => () =>
    changeUsers([ann], { kind: "add", name: "bob", role: "Viewer", publicKey, at: "t" }, ["USYS"]);
  expect(add("UANN")).toThrow(refusal("bad-usage"));
  expect(add("USYS")).toThrow(refusal("bad-usage"));
});

test("a change of nobody is refused", () => {
  expect(() => changeUsers([ann], { kind: "remove", name: "eve" })).toThrow(
    refusal("user-not-found"),
  );
});

test.each([
  ["Ann", "ann"],
  ["René Müller", "rene-muller"],
  ["CORP\\j.doe", "corp-j-doe"],
  ["daemon", "owner"],
  ["用户", "owner"],
  ["-_-", "owner"],
  ["a".repeat(50), "a".repeat(32)],
])("the owner called %j on the machine becomes %j", (osUser, name) => {
  expect(ownerNameFrom(osUser)).toBe(name);
});

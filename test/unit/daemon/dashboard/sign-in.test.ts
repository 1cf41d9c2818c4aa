import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createSignIns, LINK_MS, SESSION_MS } from "../../../../daemon/dashboard/sign-in.ts";
import type { UserRecord } from "../../../../daemon/user-rules.ts";
import { person } from "../../../support/person.ts";

function desk(secret: Uint8Array = randomBytes(32)) {
  const users = new Map<string, UserRecord>(
    [person("ann", "Manager"), person("vera", "Viewer")].map((one) => [one.name, one]),
  );
  let time = 1_700_000_000_000;
  const signIns = createSignIns({
    secret,
    userOf: (name) => users.get(name) ?? null,
    now: () => time,
  });
  return {
    ...signIns,
    users,
    pass: (ms: number) => {
      time += ms;
    },
  };
}

const enter = (d: ReturnType<typeof desk>, user = "ann"): string =>
  d.redeem(d.link(user).token)?.cookie ?? "";

describe("a link", () => {
  test("signs in whom it was made for, with the role of then", () => {
    const d = desk();
    const entered = d.redeem(d.link("vera").token);
    expect(entered?.session).toMatchObject({ user: "vera", role: "Viewer" });
    expect(d.check(entered?.cookie ?? "")).toEqual(entered?.session);
  });

  test("works once", () => {
    const d = desk();
    const { token } = d.link("ann");
    expect(d.redeem(token)).not.toBeNull();
    expect(d.redeem(token)).toBeNull();
  });

  test("is over after two minutes", () => {
    const d = desk();
    const { token } = d.link("ann");
    d.pass(LINK_MS + 1);
    expect(d.redeem(token)).toBeNull();
  });

  test.each<[string, (users: Map<string, UserRecord>) => void]>([
    ["was removed", (users) => users.delete("ann")],
    ["has another key", (users) => users.set("ann", person("ann", "Manager"))],
    ["has another role", (users) => users.set("ann", { ...users.get("ann")!, role: "Viewer" })],
  ])("signs nobody in when its user %s since", (_, change) => {
    const d = desk();
    const { token } = d.link("ann");
    change(d.users);
    expect(d.redeem(token)).toBeNull();
  });

  test.each(["", "x", "A".repeat(43), "ann"])("cannot be guessed: %j", (token) => {
    const d = desk();
    d.link("ann");
    expect(d.redeem(token)).toBeNull();
  });

  test("made in excess pushes out the oldest", () => {
    const d = desk();
    const first = d.link("ann").token;
    const others = Array.from({ length: 100 }, () => d.link("ann").token);
    expect(d.redeem(first)).toBeNull();
    expect(d.redeem(others[0] ?? "")).not.toBeNull();
  });
});

describe("a session", () => {
  test("holds for half a day", () => {
    const d = desk();
    const cookie = enter(d);
    d.pass(SESSION_MS);
    expect(d.check(cookie)).not.toBeNull();
    d.pass(1);
    expect(d.check(cookie)).toBeNull();
  });

  test.each<[string, (users: Map<string, UserRecord>) => void]>([
    ["was removed", (users) => users.delete("ann")],
    ["has a new key", (users) => users.set("ann", person("ann", "Manager"))],
    ["has a new role", (users) => users.set("ann", { ...users.get("ann")!, role: "Admin" })],
  ])("ends when its user %s", (_, change) => {
    const d = desk();
    const cookie = enter(d);
    change(d.users);
    expect(d.check(cookie)).toBeNull();
  });

  test("survives a restart with the same secret, and none with another", () => {
    const secret = randomBytes(32);
    const d = desk(secret);
    const cookie = enter(d);
    const userOf = (name: string): UserRecord | null => d.users.get(name) ?? null;
    const again = createSignIns({ secret, userOf, now: () => 1_700_000_000_000 });
    const other = createSignIns({ secret: randomBytes(32), userOf, now: () => 1_700_000_000_000 });
    expect(again.check(cookie)?.user).toBe("ann");
    expect(other.check(cookie)).toBeNull();
  });

  test("cannot be made by changing another one's cookie", () => {
    const d = desk();
    const [, mac = ""] = enter(d, "vera").split(".");
    const facts = { u: "ann", r: "Manager", k: d.users.get("ann")?.publicKey, e: 9e15 };
    const forged = Buffer.from(JSON.stringify(facts)).toString("base64url");
    for (const cookie of [`${forged}.${mac}`, `${forged}.`, forged, ".", "", "a.b.c", `.${mac}`])
      expect(d.check(cookie)).toBeNull();
  });
});

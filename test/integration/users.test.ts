import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { systemClock } from "../../daemon/clock.ts";
import { ensureInternalKeys, readSeed, seedFile } from "../../daemon/nats/keys.ts";
import { openUsers } from "../../daemon/users.ts";
import { person } from "../support/person.ts";
import { tempDir } from "../support/temp-dir.ts";

async function opened(dataDir = tempDir()) {
  const keysDir = join(dataDir, "keys");
  const internal = await ensureInternalKeys(keysDir);
  const reservedKeys = Object.values(internal).map(({ publicKey }) => publicKey);
  const open = () => openUsers({ dataDir, clock: systemClock, osUser: "Ann", reservedKeys });
  return { dataDir, keysDir, open, users: await open(), internal };
}

test("the first start makes the owner an Admin, with a seed that only this user can read", async () => {
  const { users, keysDir } = await opened();
  expect(users.list()).toMatchObject([{ name: "ann", role: "Admin" }]);
  const seed = await readSeed(seedFile(keysDir, "ann"));
  expect(seed.publicKey).toBe(users.get("ann")?.publicKey);
  expect(statSync(seedFile(keysDir, "ann")).mode & 0o777).toBe(0o600);
  expect(statSync(join(keysDir, "users.json")).mode & 0o777).toBe(0o600);
});

test("changes last over a restart", async () => {
  const { users, open } = await opened();
  const bob = person("bob", "Viewer");
  await users.add(bob);
  await users.setRole("bob", "Manager");
  const { publicKey } = person("bob", "Viewer");
  await users.rotate("bob", publicKey);
  expect((await open()).get("bob")).toMatchObject({ role: "Manager", publicKey });
  expect(await users.remove("bob")).toMatchObject({ name: "bob" });
  expect((await open()).get("bob")).toBeNull();
});

test("changes at the same time all take place", async () => {
  const { users, open } = await opened();
  const names = Array.from({ length: 10 }, (_, n) => `user${n}`);
  await Promise.all(names.map((name) => users.add(person(name, "Viewer"))));
  expect((await open()).list().map(({ name }) => name)).toEqual(["ann", ...names]);
});

test("a change that the broker does not take is not kept", async () => {
  const { users, open } = await opened();
  users.onChange(() => Promise.reject(new Error("not reloaded")));
  await expect(users.add(person("bob", "Viewer"))).rejects.toThrow("not reloaded");
  expect(users.get("bob")).toBeNull();
  expect((await open()).get("bob")).toBeNull();
});

test("what is no public key of a user is refused, and so is one of our own processes", async () => {
  const { users, internal } = await opened();
  const bob = { name: "bob", role: "Viewer" } as const;
  for (const publicKey of ["UBROKEN", "", internal.daemon.publicKey])
    await expect(users.add({ ...bob, publicKey })).rejects.toMatchObject({ code: "bad-usage" });
});

test("a damaged file stops the start and stays as it is", async () => {
  const { keysDir, open } = await opened();
  const file = join(keysDir, "users.json");
  writeFileSync(file, '{"users": [');
  await expect(open()).rejects.toMatchObject({ code: "credentials-unreadable" });
  expect(readFileSync(file, "utf8")).toBe('{"users": [');
});

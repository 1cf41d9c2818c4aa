import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAccount, createUser } from "@nats-io/nkeys";
import { expect, test } from "vitest";
import {
  ensureInternalKeys,
  ensureSeed,
  isUserPublicKey,
  readSeed,
  seedFile,
} from "../../../../daemon/nats/keys.ts";
import { tempDir } from "../../../support/temp-dir.ts";

test("keys are made once, each in a file that only this user can read", async () => {
  const dir = join(tempDir(), "keys");
  const first = await ensureInternalKeys(dir);
  const second = await ensureInternalKeys(dir);
  expect(second).toEqual(first);
  expect(new Set(Object.values(first).map((key) => key.publicKey)).size).toBe(3);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  expect(statSync(seedFile(dir, "daemon")).mode & 0o777).toBe(0o600);
});

test("a damaged seed file is an error and stays as it is", async () => {
  const dir = tempDir();
  writeFileSync(seedFile(dir, "ann"), "SUBROKEN");
  await expect(ensureSeed(dir, "ann")).rejects.toMatchObject({ code: "credentials-unreadable" });
  expect(readFileSync(seedFile(dir, "ann"), "utf8")).toBe("SUBROKEN");
});

test("the seed of an account is not taken for that of a user", async () => {
  const file = join(tempDir(), "account.nk");
  writeFileSync(file, createAccount().getSeed());
  await expect(readSeed(file)).rejects.toMatchObject({ code: "credentials-unreadable" });
});

test("a public key with one wrong letter is none", () => {
  const key = createUser().getPublicKey();
  const wrong = `${key.slice(0, 20)}${key[20] === "A" ? "B" : "A"}${key.slice(21)}`;
  expect([key, wrong, "U", createAccount().getPublicKey()].map(isUserPublicKey)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});

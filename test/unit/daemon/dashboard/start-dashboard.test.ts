import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import type { Hub } from "../../../../daemon/dashboard/hub.ts";
import { type Dashboard, startDashboard } from "../../../../daemon/dashboard/start-dashboard.ts";
import { noLog } from "../../../../daemon/log.ts";
import type { UserRecord } from "../../../../daemon/user-rules.ts";
import { cookieOf, openView, redeem } from "../../../support/dashboard.ts";
import { person } from "../../../support/person.ts";
import { tempDir } from "../../../support/temp-dir.ts";

// What is looked at from time to time is not looked at here: what happens, happens at once.
beforeEach(() => vi.useFakeTimers({ toFake: ["setInterval"] }));
afterEach(() => vi.useRealTimers());

const hub: Hub = {
  follow: () => ({ stop() {} }),
  connection: () => ({ state: { kind: "idle" }, history: [], subscriptions: [] }),
  measure: async () => {},
  onConnection: () => () => {},
  stop: async () => {},
};

async function start(dataDir = tempDir()) {
  mkdirSync(join(dataDir, "keys"), { recursive: true });
  const users = new Map<string, UserRecord>([["ann", person("ann", "Manager")]]);
  const notes: string[] = [];
  const dashboard = await startDashboard({
    settings: { enabled: true, port: 0 },
    dataDir,
    control: async () => ({ ok: true, value: {} }),
    hub,
    audit: { note: ({ kind, by }) => void notes.push(`${kind} ${by}`) },
    userOf: (name) => users.get(name) ?? null,
    now: Date.now,
    log: noLog,
  });
  onTestFinished(() => dashboard.stop());
  return { dashboard, users, notes, dataDir };
}

async function enter(dashboard: Dashboard): Promise<{ origin: string; cookie: string }> {
  const url = new URL(dashboard.link("ann").url);
  return { origin: url.origin, cookie: cookieOf(await redeem(url.origin, url.hash.slice(1))) };
}

test("a removed user's dashboards are closed at once, and no sooner than that", async () => {
  const { dashboard, users } = await start();
  const { origin, cookie } = await enter(dashboard);
  const [one, two] = [await openView(origin, cookie), await openView(origin, cookie)];
  dashboard.usersChanged();
  expect(await one.request("status", {})).toMatchObject({ ok: true });
  users.delete("ann");
  dashboard.usersChanged();
  expect(await Promise.all([one.closed, two.closed])).toEqual([4401, 4401]);
});

test("a sign-in is a line of the audit", async () => {
  const { dashboard, notes } = await start();
  await enter(dashboard);
  expect(notes).toEqual(["dashboard-signed-in ann"]);
});

test("the key that signs sessions is made once and is private to the daemon's user", async () => {
  const first = await start();
  const { cookie } = await enter(first.dashboard);
  expect(statSync(join(first.dataDir, "keys", "dashboard.key")).mode & 0o777).toBe(0o600);
  const second = await start(first.dataDir);
  second.users.set("ann", first.users.get("ann")!);
  const origin = second.dashboard.view().url ?? "";
  // The cookie bears the port of the daemon that set it; its value holds at the next one.
  const renamed = cookie.replace(/^msgsys-\d+/, `msgsys-${new URL(origin).port}`);
  const view = await openView(origin, renamed);
  expect(await view.request("status", {})).toMatchObject({ ok: true });
  await view.close();
});

test("stopped, it answers nobody, and open dashboards are told that it goes", async () => {
  const { dashboard } = await start();
  const { origin, cookie } = await enter(dashboard);
  const view = await openView(origin, cookie);
  await dashboard.stop();
  expect(await view.closed).toBe(1001);
  await expect(openView(origin, cookie)).rejects.toThrow("ECONNREFUSED");
});

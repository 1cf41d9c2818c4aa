import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { connectNats, type NatsLink } from "../../../daemon/nats/connect.ts";
import { inboxPrefixOf } from "../../../daemon/nats/permissions.ts";
import { connect } from "../../../daemon/sdk.ts";
import { type Reply, VERBS, type Verb } from "../../../shared/control.ts";
import { AppError } from "../../../shared/errors.ts";
import { ROLES, type Role } from "../../../shared/roles.ts";
import { createNames } from "../../../shared/subjects.ts";
import { cli, cliHere } from "../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { addPeople, type People } from "../../support/people.ts";
import { until } from "../../support/until.ts";

const names = createNames();

/** The roles' rights, written out as people are told them. */
const LOOKING: readonly Verb[] = [
  "status",
  "get",
  "list",
  "why",
  "queues",
  "definitions",
  "metrics",
  "dashboard_link",
  "runs",
  "run_get",
  "result",
  "events",
  "audit_query",
  "audit_task",
  "audit_verify",
  "config",
  "whoami",
];
const WORKING: readonly Verb[] = ["cancel", "cancel_run"];
const SETTING_A_LEVEL: readonly Verb[] = ["enqueue", "run", "escalate", "undo", "retry", "redrive"];
const MANAGING: readonly Verb[] = [
  "user_list",
  "user_add",
  "user_role",
  "user_rotate",
  "user_remove",
  "backup",
  "reconcile",
  "declare",
  "shutdown",
];
const HIGHEST: Record<Role, number> = { Viewer: -1, Operator: 8, Manager: 9, Admin: 10 };
const LEVELS = [0, 5, 8, 9, 10];

interface Attempt {
  readonly verb: Verb;
  readonly level?: number;
}

const ATTEMPTS: readonly Attempt[] = [
  ...[...LOOKING, ...WORKING, ...MANAGING].map((verb) => ({ verb })),
  ...SETTING_A_LEVEL.flatMap((verb) => LEVELS.map((level) => ({ verb, level }))),
];

function isAllowed(role: Role, { verb, level }: Attempt): boolean {
  if (LOOKING.includes(verb)) return true;
  if (MANAGING.includes(verb)) return role === "Admin";
  if (WORKING.includes(verb)) return role !== "Viewer";
  return (level ?? 11) <= HIGHEST[role];
}

/** Who may do it is settled before what is asked is read: a request that means nothing shows the one without the other. */
const NO_MEANING = JSON.stringify({ id: 0 });

const wordsOf = ({ verb, level }: Attempt): string =>
  level === undefined ? verb : `${verb} ${level}`;

/** Attempts that this role may make; the one that would end the daemon is never made by who may. */
function attemptsOf(role: Role): readonly Attempt[] {
  return ATTEMPTS.filter(({ verb }) => verb !== "shutdown" || role !== "Admin");
}

const expected = (role: Role): string[] =>
  attemptsOf(role)
    .filter((attempt) => !isAllowed(role, attempt))
    .map(wordsOf);

let daemon: TestDaemon;
let people: People;
let behindTheBroker: NatsLink;

beforeAll(async () => {
  daemon = await startDaemon({
    set: { "workers.pools": '{"only":{"queues":["test"],"slots":2}}', "lease.heartbeatMs": 500 },
  });
  people = await addPeople(daemon.dataDir);
  behindTheBroker = await connectNats({
    servers: daemon.lease()?.natsUrl ?? "",
    seed: await readFile(join(daemon.dataDir, "keys", "daemon.nk")).then((text) =>
      new TextEncoder().encode(text.toString().trim()),
    ),
    name: "test",
    inboxPrefix: inboxPrefixOf("daemon"),
  });
});

afterAll(async () => {
  await behindTheBroker?.nc.close();
  await people?.close();
  await daemon?.close();
});

/** The verbs and targets of the refusals that the audit keeps of a person. */
async function auditedOf(user: string): Promise<{ verb: string; target: string }[]> {
  const { columns, rows } = await daemon.client.request("audit_query", { query: "refusals" });
  const cell = (row: readonly unknown[], column: string): string =>
    String(row[columns.indexOf(column)]);
  return rows
    .filter((row) => cell(row, "user") === user)
    .map((row) => ({ verb: cell(row, "verb"), target: cell(row, "target") }));
}

test("every verb has its place in the table of rights", () => {
  expect([...LOOKING, ...WORKING, ...SETTING_A_LEVEL, ...MANAGING].sort()).toEqual(
    Object.keys(VERBS).sort(),
  );
  expect(SETTING_A_LEVEL.every((verb) => VERBS[verb].levelled)).toBe(true);
});

describe.each(ROLES)("a %s", (role) => {
  const byClient = new Map<string, AppError>();
  const byDaemon: string[] = [];

  /** Somebody who does nothing else: every refusal of theirs is from here. */
  const who = `try-${role.toLowerCase()}`;

  /** Makes every attempt once through the client, and once where the broker lets everything pass. */
  beforeAll(async () => {
    const { dataDir } = daemon;
    await cliHere(["--data", dataDir, "user", "add", who, "--role", role]);
    const client = await connect({ dataDir, user: who });
    for (const attempt of attemptsOf(role)) {
      const { verb, level } = attempt;
      try {
        await client.request(verb, { id: 0 } as never, { level });
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        if (error.code === "not-permitted") byClient.set(wordsOf(attempt), error);
      }
      const subject = names.api(who, verb, level);
      const answer = await behindTheBroker.nc.request(subject, NO_MEANING, { timeout: 30_000 });
      const reply = answer.json<Reply<unknown>>();
      if (!reply.ok && reply.error.code === "not-permitted") byDaemon.push(wordsOf(attempt));
    }
    await client.close();
  });

  test("is refused by the client exactly what the role has no right to, with role and need", () => {
    expect([...byClient.keys()]).toEqual(expected(role));
    for (const { exitCode, message } of byClient.values()) {
      expect(exitCode).toBe(5);
      expect(message).toContain(`${who} (${role})`);
    }
  });

  test("is refused the same by the daemon when the broker lets everything pass", () => {
    expect(byDaemon).toEqual(expected(role));
  });

  test("finds each refusal in the audit, those of the broker with their subjects", async () => {
    const refused = attemptsOf(role).filter((attempt) => !isAllowed(role, attempt));
    const subjects = refused.map(({ verb, level }) => names.api(who, verb, level));
    const isOwn = ({ target }: { target: string | null }): boolean =>
      !subjects.includes(target ?? "");
    const audited = await until(
      () => auditedOf(who),
      (rows) =>
        subjects.every((subject) => rows.some(({ target }) => target === subject)) &&
        rows.filter(isOwn).length >= refused.length,
    );
    expect(new Set(audited.map(({ verb }) => verb))).toEqual(
      new Set(refused.map(({ verb }) => verb)),
    );
    // The daemon's own refusals name the task or user that was asked for, not a subject.
    const own = audited.filter(isOwn);
    expect(own).toHaveLength(refused.length);
  });
});

test("what nobody may do past the control API is audited too, with its subject", async () => {
  const { nc } = people.clients.Admin;
  nc.publish(names.task(10, "test", "smuggled"), "{}");
  nc.subscribe("ms.state.>", { callback: () => {} });
  const audited = await until(
    () => auditedOf("adm"),
    (rows) => ["publish", "subscribe"].every((verb) => rows.some((row) => row.verb === verb)),
  );
  expect(audited).toContainEqual({ verb: "publish", target: names.task(10, "test", "smuggled") });
  expect(audited).toContainEqual({ verb: "subscribe", target: "ms.state.>" });
});

/** A command for each verb that has one, and from which role on it is not refused. */
const COMMANDS: readonly (readonly [least: Role, ...argv: string[]])[] = [
  ["Viewer", "status"],
  ["Viewer", "list"],
  ["Viewer", "list", "--runs"],
  ["Viewer", "show", "none"],
  ["Viewer", "why", "none"],
  ["Viewer", "queues"],
  ["Viewer", "queues", "--tasks"],
  ["Viewer", "audit", "by-status"],
  ["Viewer", "audit", "task", "none"],
  ["Viewer", "audit", "verify"],
  ["Viewer", "config"],
  ["Operator", "enqueue", "no.such-task", "--priority", "8"],
  ["Manager", "enqueue", "no.such-task", "--priority", "9"],
  ["Admin", "enqueue", "no.such-task", "--priority", "critical"],
  ["Operator", "run", "cls_all", "--phase", "sync", "--param", "root=5", "--priority", "8"],
  ["Manager", "run", "cls_all", "--phase", "sync", "--param", "root=5", "--priority", "9"],
  ["Admin", "run", "cls_all", "--phase", "sync", "--param", "root=5", "--priority", "10"],
  ["Operator", "escalate", "prioritize", "--where", "queue=none", "--reason", "r", "--yes"],
  ["Manager", "escalate", "urgent", "--where", "queue=none", "--reason", "r", "--yes"],
  ["Admin", "escalate", "critical", "--where", "queue=none", "--reason", "r", "--yes"],
  ["Operator", "lower", "2", "--where", "queue=none", "--reason", "r", "--yes"],
  ["Operator", "redrive", "--where", "queue=none", "--yes"],
  ["Operator", "cancel", "--where", "queue=none", "--yes"],
  ["Operator", "cancel", "--run", "none"],
  ["Admin", "user", "list"],
  ["Admin", "user", "role", "nobody", "Viewer"],
  ["Admin", "user", "remove", "nobody"],
  ["Admin", "user", "rotate", "nobody"],
  ["Admin", "user", "add", "ope2", "--role", "Operator"],
  ["Admin", "backup", "/dev/null/no/such/place"],
];

test.each(ROLES)("the command line refuses a %s the same with exit code 5", async (role) => {
  const flags = ["--data", daemon.dataDir, "--user", people.names[role]];
  const out = ["--out", join(daemon.dataDir, `new-${role}.nk`)];
  for (const [least, ...argv] of COMMANDS) {
    const writesSeed = argv[0] === "user" && (argv[1] === "add" || argv[1] === "rotate");
    const end = await cliHere([...flags, ...argv, ...(writesSeed ? out : [])]);
    const mayDo = ROLES.indexOf(role) >= ROLES.indexOf(least);
    expect(`${argv.join(" ")}: ${end.code === 5 ? "refused" : "let in"}`).toBe(
      `${argv.join(" ")}: ${mayDo ? "let in" : "refused"}`,
    );
  }
});

test("who may not stop the daemon is refused, and it goes on", async () => {
  const end = await cliHere(["--data", daemon.dataDir, "--user", people.names.Manager, "down"]);
  expect(end.code).toBe(5);
  expect((await daemon.client.status()).daemon.pid).toBe(daemon.child.pid);
});

describe("credentials", () => {
  test("of a removed person end their connection at once and are refused from then on", async () => {
    const { dataDir } = daemon;
    await cliHere(["--data", dataDir, "user", "add", "gone", "--role", "Operator"]);
    const client = await connect({ dataDir, user: "gone" });
    expect((await client.request("whoami", {})).role).toBe("Operator");
    await cliHere(["--data", dataDir, "user", "remove", "gone"]);
    await until(() => client.nc.isClosed());
    await expect(client.list()).rejects.toMatchObject({ code: "connection-lost" });
    await expect(connect({ dataDir, user: "gone" })).rejects.toMatchObject({
      code: "credentials-refused",
      exitCode: 5,
    });
    const end = await cli(["--data", dataDir, "--user", "gone", "--json", "list"]);
    expect([end.code, JSON.parse(end.out)]).toMatchObject([
      5,
      { error: { code: "credentials-refused" } },
    ]);
  });

  test("that were rotated are refused, and the new ones let in", async () => {
    const { dataDir } = daemon;
    const seed = join(dataDir, "keys", "turn.nk");
    await cliHere(["--data", dataDir, "user", "add", "turn", "--role", "Operator"]);
    const old = await readFile(seed, "utf8");
    const fresh = join(dataDir, "turn.nk");
    const end = await cliHere(["--data", dataDir, "user", "rotate", "turn", "--out", fresh]);
    expect(end.code).toBe(0);
    expect(await readFile(seed, "utf8")).toBe(old);
    await expect(connect({ dataDir, creds: seed })).rejects.toMatchObject({
      code: "credentials-refused",
    });
    const client = await connect({ dataDir, creds: fresh });
    expect(await client.request("whoami", {})).toEqual({ user: "turn", role: "Operator" });
    await client.close();
  });

  test("of one person do not open another's name", async () => {
    const creds = join(daemon.dataDir, "keys", `${people.names.Viewer}.nk`);
    const end = await cliHere([
      "--data",
      daemon.dataDir,
      "--creds",
      creds,
      "--user",
      people.names.Admin,
      "user",
      "list",
    ]);
    expect(end.code).toBe(5);
  });

  test("whose role was lowered lose the right at once", async () => {
    const { dataDir } = daemon;
    await cliHere(["--data", dataDir, "user", "add", "down", "--role", "Admin"]);
    const client = await connect({ dataDir, user: "down" });
    expect((await client.request("user_list", {})).users.length).toBeGreaterThan(1);
    await cliHere(["--data", dataDir, "user", "role", "down", "Viewer"]);
    const again = await connect({ dataDir, user: "down" });
    await expect(again.request("user_list", {})).rejects.toMatchObject({ code: "not-permitted" });
    await Promise.all([client.close(), again.close()]);
  });

  test("of the last Admin cannot be taken away", async () => {
    // A daemon of its own: who takes Admins away must not take them from the other tests.
    const own = await startDaemon({ set: { "workers.pools": "{}" } });
    onTestFinished(() => own.close());
    const { client, dataDir } = own;
    await cliHere(["--data", dataDir, "user", "add", "second", "--role", "Admin"]);
    await client.request("user_remove", { name: "second" });
    await expect(
      client.request("user_role", { name: client.user, role: "Viewer" }),
    ).rejects.toMatchObject({ code: "last-admin", exitCode: 6 });
  });
});

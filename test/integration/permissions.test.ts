import { AckPolicy, jetstream, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { PermissionViolationError } from "@nats-io/transport-node";
import { expect, test } from "vitest";
import type { NatsLink } from "../../daemon/nats/connect.ts";
import { VERBS, type Verb } from "../../shared/control.ts";
import type { Permission, Role } from "../../shared/roles.ts";
import { createNames } from "../../shared/subjects.ts";
import { type EmbeddedServer, embeddedServer } from "../support/embedded-server.ts";
import { person } from "../support/person.ts";

const names = createNames();
const verbs = Object.keys(VERBS) as Verb[];

/** What each role may do and the highest level that it may set, written out as people are told it. */
const RIGHTS: Record<Role, { may: Permission[]; highest: number }> = {
  Viewer: { may: ["view_tasks", "view_dashboard"], highest: -1 },
  Operator: { may: ["view_tasks", "view_dashboard", "run_tasks", "prioritize_tasks"], highest: 8 },
  Manager: { may: ["view_tasks", "view_dashboard", "run_tasks", "prioritize_tasks"], highest: 9 },
  Admin: {
    may: ["view_tasks", "view_dashboard", "run_tasks", "prioritize_tasks", "manage_users"],
    highest: 10,
  },
};

/** Every request that one could try: each verb without a level and with each. */
function everyRequest(user: string): string[] {
  const levels = [undefined, ...Array.from({ length: 12 }, (_, n) => n)];
  return verbs.flatMap((verb) => levels.map((level) => names.api(user, verb, level)));
}

/** The subjects among these that the broker lets `link` publish, seen by the daemon's own connection. */
async function delivered(
  { connect, keys }: EmbeddedServer,
  link: NatsLink,
  subjects: readonly string[],
): Promise<string[]> {
  const daemon = await connect(keys.daemon);
  const seen: string[] = [];
  daemon.nc.subscribe(">", { callback: (_, message) => void seen.push(message.subject) });
  await daemon.nc.flush();
  for (const subject of subjects) link.nc.publish(subject, "{}");
  await link.nc.flush();
  await daemon.nc.flush();
  await daemon.nc.close();
  return seen.filter((subject) => subjects.includes(subject));
}

/** Whether the broker lets `link` subscribe. */
async function maySubscribe(link: NatsLink, subject: string): Promise<boolean> {
  const refusal = Promise.withResolvers<Error>();
  const subscription = link.nc.subscribe(subject, {
    callback: (error) => {
      if (error !== null) refusal.resolve(error);
    },
  });
  await link.nc.flush();
  const answer = await Promise.race([refusal.promise, link.nc.flush().then(() => null)]);
  subscription.unsubscribe();
  if (answer !== null) expect(answer).toBeInstanceOf(PermissionViolationError);
  return answer === null;
}

test.each(Object.keys(RIGHTS) as Role[])(
  "the broker delivers a %s's requests for exactly the verbs and levels of that role",
  async (role) => {
    const ann = person("ann", role);
    const embedded = await embeddedServer({ people: [ann] });
    const link = await embedded.connect(ann);
    const { may, highest } = RIGHTS[role];
    const expected = verbs
      .filter((verb) => may.includes(VERBS[verb].permission))
      .flatMap((verb) =>
        VERBS[verb].levelled
          ? Array.from({ length: highest + 1 }, (_, level) => names.api("ann", verb, level))
          : [names.api("ann", verb)],
      );
    expect(await delivered(embedded, link, everyRequest("ann"))).toEqual(expected);
  },
);

test("even an Admin cannot speak for another, write tasks or journals, or reach the streams", async () => {
  const ann = person("ann", "Admin");
  const embedded = await embeddedServer({ people: [ann, person("bob", "Viewer")] });
  const link = await embedded.connect(ann);
  const forbidden = [
    ...everyRequest("bob"),
    names.task(5, "etl", "t1"),
    names.state("etl", "t1"),
    names.dead("etl", "t1"),
    names.due("etl", "t1"),
    names.fact("etl", "t1"),
    names.event("daemon.started"),
    names.heartbeat("w1"),
    names.order("w1"),
    "ms.bell.10.etl.t1",
    "events.any",
    "egos.any",
    "$KV.ms_results.x",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.PURGE.MS_TASKS",
    "_INBOX_bob.x",
    "_INBOX_daemon.x",
  ];
  expect(await delivered(embedded, link, forbidden)).toEqual([]);
});

test("people may listen to their own replies, facts and events, and to nothing else", async () => {
  const ann = person("ann", "Admin");
  const { connect } = await embeddedServer({ people: [ann] });
  const link = await connect(ann);
  for (const subject of ["_INBOX_ann.>", "ms.fact.>", "ms.event.>", "events.>", "egos.>"])
    expect(await maySubscribe(link, subject), subject).toBe(true);
  for (const subject of [
    ">",
    "ms.>",
    "*.*.*.ann.>",
    "ms.task.>",
    "ms.state.>",
    "ms.dead.>",
    "ms.api.>",
    "ms.bell.>",
    "ms.worker.>",
    "_INBOX_bob.>",
    "_INBOX_worker.>",
    "_INBOX.>",
    "$JS.>",
    "$KV.>",
  ])
    expect(await maySubscribe(link, subject), subject).toBe(false);
});

/** The streams as far as a worker meets them. */
async function makeStreams({ connect, keys }: EmbeddedServer): Promise<void> {
  const { nc } = await connect(keys.daemon);
  const manager = await jetstreamManager(nc);
  await manager.streams.add({
    name: names.stream.tasks,
    subjects: ["ms.task.>"],
    retention: RetentionPolicy.Workqueue,
    allow_direct: true,
    republish: { src: "ms.task.>", dest: "ms.bell.>", headers_only: true },
  });
  await manager.streams.add({
    name: names.stream.state,
    subjects: ["ms.state.>"],
    allow_direct: true,
  });
  await new Kvm(nc).create(names.kv.results);
}

test("a worker takes tasks, writes journals and results, and hears bells and its orders", async () => {
  const embedded = await embeddedServer();
  await makeStreams(embedded);
  const { nc } = await embedded.connect(embedded.keys.worker);
  const manager = await jetstreamManager(nc);
  const js = jetstream(nc);
  const { tasks, state } = names.stream;
  const bells: string[] = [];
  nc.subscribe("ms.bell.>", { callback: (_, message) => void bells.push(message.subject) });
  const orders: string[] = [];
  nc.subscribe(names.order("w1"), { callback: (_, message) => void orders.push(message.subject) });

  await manager.consumers.add(tasks, {
    durable_name: names.consumer("etl", 5),
    filter_subject: "ms.task.5.etl.>",
    ack_policy: AckPolicy.Explicit,
  });
  expect((await manager.consumers.info(tasks, names.consumer("etl", 5))).num_pending).toBe(0);
  await js.publish(names.task(5, "etl", "t1"), "{}");
  const message = await (await js.consumers.get(tasks, names.consumer("etl", 5))).next({
    expires: 30_000,
  });
  expect(message?.subject).toBe(names.task(5, "etl", "t1"));
  expect(await message?.ackAck()).toBe(true);

  await js.publish(names.state("etl", "t1"), "{}", { expect: { lastSubjectSequence: 0 } });
  const record = await manager.direct.getMessage(state, {
    last_by_subj: names.state("etl", "t1"),
  });
  expect(record?.subject).toBe(names.state("etl", "t1"));
  expect((await manager.streams.getMessage(state, { seq: 1 }))?.seq).toBe(1);
  const { seq } = await js.publish(names.task(5, "etl", "t2"), "{}");
  expect(await manager.streams.deleteMessage(tasks, seq)).toBe(true);

  const results = await new Kvm(nc).open(names.kv.results);
  await results.put("t1", "done");
  expect((await results.get("t1"))?.string()).toBe("done");

  const daemon = await embedded.connect(embedded.keys.daemon);
  daemon.nc.publish(names.order("w1"), "stop");
  await daemon.nc.flush();
  await nc.flush();
  expect(bells).toEqual(["ms.bell.5.etl.t1", "ms.bell.5.etl.t2"]);
  expect(orders).toEqual([names.order("w1")]);
});

test("a worker cannot make, change, purge or delete streams, read journals as they come, or use a person's name", async () => {
  const embedded = await embeddedServer({ people: [person("ann", "Admin")] });
  const link = await embedded.connect(embedded.keys.worker);
  const forbidden = [
    ...["CREATE", "UPDATE", "DELETE", "PURGE"].map((act) => `$JS.API.STREAM.${act}.MS_TASKS`),
    "$JS.API.STREAM.MSG.DELETE.MS_STATE",
    "$JS.API.CONSUMER.CREATE.MS_STATE.x",
    "$JS.API.CONSUMER.DELETE.MS_TASKS.x",
    "ms.fact.etl.t1",
    "ms.bell.5.etl.t1",
    ...everyRequest("ann"),
  ];
  expect(await delivered(embedded, link, forbidden)).toEqual([]);
  for (const subject of [">", "ms.state.>", "ms.task.>", "ms.api.>", "_INBOX_daemon.>"])
    expect(await maySubscribe(link, subject), subject).toBe(false);
});

test("nobody gets in without a key that the server knows", async () => {
  const embedded = await embeddedServer();
  await expect(embedded.connect(person("eve", "Admin"))).rejects.toMatchObject({
    code: "credentials-refused",
  });
});

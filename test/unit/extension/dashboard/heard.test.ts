import { expect, test } from "vitest";
import { createHeard } from "../../../../extension/dashboard/heard.ts";
import type { FollowEvent } from "../../../../shared/bus/client.ts";
import { createNames } from "../../../../shared/subjects.ts";

const DOMAIN: FollowEvent = { kind: "domain", at: "", subject: "events.a", data: null };
const ENQUEUED: FollowEvent = { kind: "system", at: "", event: "enqueued", data: null };

/** A client whose subscription is in the test's hands. */
function aClient() {
  let callback: ((event: FollowEvent) => void) | null = null;
  return {
    names: createNames("ms"),
    follow: (_: object, heard: (event: FollowEvent) => void) => {
      callback = heard;
      return {
        stop() {
          callback = null;
        },
      };
    },
    say: (event: FollowEvent) => callback?.(event),
    isFollowed: () => callback !== null,
  };
}

function aWindow() {
  let client: ReturnType<typeof aClient> | null = null;
  let listener: ((client: ReturnType<typeof aClient> | null) => void) | null = null;
  const heard = createHeard({
    client: () => client,
    onClient(hear) {
      listener = hear;
      return () => {
        listener = null;
      };
    },
    failed: (error) => expect.unreachable(error.message),
    now: () => 1000,
  });
  return {
    heard,
    connect(next: ReturnType<typeof aClient> | null) {
      client = next;
      listener?.(next);
    },
    isWatching: () => listener !== null,
  };
}

test("all views of a window share one subscription, which ends with the last of them", () => {
  const { heard, connect, isWatching } = aWindow();
  const client = aClient();
  connect(client);
  expect(client.isFollowed()).toBe(false);
  const events: string[] = [];
  const first = heard.follow(() => events.push("first"));
  const second = heard.follow(() => events.push("second"));
  client.say(DOMAIN);
  first.stop();
  first.stop();
  client.say(DOMAIN);
  expect(events).toEqual(["first", "second", "second"]);
  second.stop();
  expect(client.isFollowed()).toBe(false);
  expect(isWatching()).toBe(false);
});

test("who follows hears the next client too, and the former one no more", () => {
  const { heard, connect } = aWindow();
  const [former, next] = [aClient(), aClient()];
  const events: FollowEvent[] = [];
  heard.follow((event) => events.push(event));
  connect(former);
  former.say(DOMAIN);
  connect(null);
  connect(next);
  expect(former.isFollowed()).toBe(false);
  next.say(ENQUEUED);
  expect(events).toEqual([DOMAIN, ENQUEUED]);
});

test("each subject is counted by itself, from zero with every client", () => {
  const { heard, connect } = aWindow();
  const client = aClient();
  expect(heard.subscriptions()).toEqual([]);
  heard.follow(() => {});
  connect(client);
  client.say(DOMAIN);
  client.say(DOMAIN);
  client.say(ENQUEUED);
  expect(heard.subscriptions()).toEqual([
    { subject: "ms.fact.*.*", messages: 0, lastAt: null },
    { subject: "ms.event.>", messages: 0, lastAt: null },
    { subject: "ms.fact.enqueued", messages: 1, lastAt: 1000 },
    { subject: "events.>", messages: 2, lastAt: 1000 },
  ]);
  connect(aClient());
  expect(heard.subscriptions().map(({ messages }) => messages)).toEqual([0, 0, 0, 0]);
});

import { expect, test } from "vitest";
import {
  nearest,
  parseSettingText,
  SETTING_KEYS,
  settingOf,
} from "../../../../daemon/setting-keys.ts";

const parse = (key: string, text: string) => parseSettingText(settingOf(key)!, text);

test("every setting has a variable of its own", () => {
  const variables = SETTING_KEYS.map(({ variable }) => variable);
  expect(new Set(variables).size).toBe(variables.length);
  expect(variables.length).toBeGreaterThan(25);
  expect(settingOf("nats.maxFileStoreBytes")?.variable).toBe("MSGSYS_NATS_MAX_FILE_STORE_BYTES");
});

test("text means what the setting is: number, yes or no, list, JSON, a word", () => {
  expect(parse("nats.port", " 4222 ")).toBe(4222);
  expect(parse("nats.allowPlainText", "Yes")).toBe(true);
  expect(parse("nats.allowPlainText", "0")).toBe(false);
  expect(parse("cls.checkoutPhases", "sync, export")).toEqual(["sync", "export"]);
  expect(parse("workers.pools", '{"a":{"queues":["x"],"slots":1}}')).toEqual({
    a: { queues: ["x"], slots: 1 },
  });
  expect(parse("logLevel", "WARNING")).toBe("warn");
  expect(parse("logLevel", "DEBUG")).toBe("debug");
});

test("text that does not fit stays text, for the schema to refuse", () => {
  expect(parse("nats.port", "4222x")).toBe("4222x");
  expect(parse("nats.allowPlainText", "maybe")).toBe("maybe");
  expect(parse("workers.pools", "{")).toBe("{");
});

test("a slip of up to two letters finds the name that was meant", () => {
  expect(nearest("nats.prot", ["nats.port", "nats.host"])).toBe("nats.port");
  expect(nearest("something", ["nats.port"])).toBeNull();
});

import { describe, expect, test } from "vitest";
import {
  compareServerVersions,
  formatServerVersion,
  isAtLeast,
  MINIMUM_NATS_SERVER,
  parseServerVersion,
} from "../../../../daemon/nats/version.ts";

describe("the version of a nats-server", () => {
  test.each([
    ["nats-server: v2.15.1", "2.15.1"],
    ["nats-server: v2.15.1-rc.1\n", "2.15.1-rc.1"],
    ["2.9.10", "2.9.10"],
    ["v2.12.0", "2.12.0"],
    ["2.15.1-debian", "2.15.1-debian"],
  ])("is found in %j", (text, expected) => {
    const version = parseServerVersion(text);
    expect(version && formatServerVersion(version)).toBe(expected);
  });

  test.each(["", "nats-server", "nats-server: v2.15", "usage: nats-server [options]"])(
    "is not found in %j",
    (text) => {
      expect(parseServerVersion(text)).toBeNull();
    },
  );

  test("sorts by numbers, with a pre-release before its release", () => {
    const sorted = ["2.9.10", "2.12.0", "2.12.1-rc.2", "2.12.1-rc.10", "2.12.1", "2.15.1-rc.1"];
    const versions = sorted.map((text) => parseServerVersion(text)!);
    const shuffled = versions.toReversed().sort(compareServerVersions);
    expect(shuffled.map(formatServerVersion)).toEqual(sorted);
  });

  test.each([
    ["2.9.10", false],
    ["2.10.27", false],
    ["2.12.0", false],
    ["2.12.1-rc.1", false],
    ["2.12.1", true],
    ["2.15.1-rc.1", true],
    ["3.0.0", true],
    ["no version", false],
  ])("%s is at least the minimum: %s", (version, expected) => {
    expect(isAtLeast(version, MINIMUM_NATS_SERVER)).toBe(expected);
  });
});

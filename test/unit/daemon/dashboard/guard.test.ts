import { describe, expect, test } from "vitest";
import { cookieIn, isOwnHost, isOwnOrigin } from "../../../../daemon/dashboard/guard.ts";

describe("the name that a browser asked for", () => {
  test.each(["127.0.0.1", "127.0.0.1:8050", "localhost:8050", "LOCALHOST:1", "[::1]:8050"])(
    "%s is loopback",
    (host) => {
      expect(isOwnHost(host)).toBe(true);
    },
  );

  test.each([
    undefined,
    "",
    "evil.example",
    "evil.example:8050",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8050",
    "evil.example#127.0.0.1",
    "127.0.0.1:8050@evil.example",
    "127.0.0.2:8050",
    "0.0.0.0:8050",
  ])("%s is not", (host) => {
    expect(isOwnHost(host)).toBe(false);
  });
});

describe("the page that acts", () => {
  test.each(["http://127.0.0.1:8050", "https://127.0.0.1:8050"])("%s is ours", (origin) => {
    expect(isOwnOrigin(origin, "127.0.0.1:8050")).toBe(true);
  });

  test.each([
    undefined,
    "null",
    "",
    "http://127.0.0.1:9000",
    "http://localhost:8050",
    "https://evil.example",
  ])("%s is not", (origin) => {
    expect(isOwnOrigin(origin, "127.0.0.1:8050")).toBe(false);
  });
});

describe("cookies", () => {
  test("the value of the one that is asked for", () => {
    expect(cookieIn("a=1; msgsys-8050=x.y=; b=2", "msgsys-8050")).toBe("x.y=");
  });

  test.each([undefined, "", "msgsys-8051=x", "xmsgsys-8050=x", "msgsys-8050=a; msgsys-8050=b"])(
    "%s has none that counts",
    (header) => {
      expect(cookieIn(header, "msgsys-8050")).toBeNull();
    },
  );
});

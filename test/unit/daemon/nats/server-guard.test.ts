import { expect, test } from "vitest";
import { guardedCommand } from "../../../../daemon/nats/server-guard.ts";

test("Linux with setpriv ties the server's life to the daemon's by a signal", () => {
  const guard = guardedCommand("nats-server", ["-c", "x"], {
    platform: "linux",
    hasSetpriv: true,
  });
  expect([guard.command, ...guard.args].join(" ")).toBe(
    "setpriv --pdeathsig TERM nats-server -c x",
  );
});

test.each(["linux", "darwin"] as const)(
  "without it %s uses a shell that watches a pipe",
  (platform) => {
    const guard = guardedCommand("nats-server", ["-c", "x"], { platform, hasSetpriv: false });
    expect(guard).toMatchObject({ command: "/bin/sh", stdin: "pipe", detached: true });
    expect(guard.args.slice(-3)).toEqual(["nats-server", "-c", "x"]);
  },
);

test("on Windows the server is a plain child, for detached ones would outlive the daemon", () => {
  const guard = guardedCommand("nats-server.exe", [], { platform: "win32", hasSetpriv: false });
  expect(guard).toMatchObject({ command: "nats-server.exe", detached: false });
});

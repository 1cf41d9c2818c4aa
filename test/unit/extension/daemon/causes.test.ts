import { describe, expect, test } from "vitest";
import { backoffMs } from "../../../../extension/daemon/backoff.ts";
import { causeOf, isFinal } from "../../../../extension/daemon/causes.ts";
import { CAUSE_CODES, type CauseCode } from "../../../../shared/connection.ts";
import { AppError } from "../../../../shared/errors.ts";

/** An error as the system, TLS or the NATS library throws it. */
function named(name: string, message = "x", more: object = {}): Error {
  return Object.assign(new Error(message), { name }, more);
}
const coded = (code: string): Error => Object.assign(new Error(`failed with ${code}`), { code });
const refused = (cause: unknown): AppError =>
  new AppError("connection-refused", { url: "nats://h:4222" }, cause);

const TABLE: readonly (readonly [CauseCode, unknown])[] = [
  ["no-daemon", new AppError("daemon-not-running", { dataDir: "/d" })],
  ["no-daemon", new AppError("broker-unavailable", { what: "x" }, named("NoResponders"))],
  ["refused", refused(coded("ECONNREFUSED"))],
  ["refused", refused(named("ConnectionError", "connection refused"))],
  ["refused", refused(undefined)],
  ["timeout", refused(named("TimeoutError", "timeout"))],
  ["timeout", refused(coded("ETIMEDOUT"))],
  ["timeout", new AppError("broker-unavailable", { what: "no answer" })],
  ["closed", refused(coded("ECONNRESET"))],
  ["closed", new AppError("connection-lost", { url: "u" })],
  ["closed", named("ClosedConnectionError", "closed connection")],
  ["credentials", new AppError("credentials-refused", { user: "ada" })],
  ["credentials", refused(named("AuthorizationError", "authorization violation"))],
  ["credentials", new AppError("credentials-unreadable", { file: "f" })],
  ["tls", refused(coded("DEPTH_ZERO_SELF_SIGNED_CERT"))],
  ["tls", refused(coded("ERR_TLS_CERT_ALTNAME_INVALID"))],
  ["tls", refused(new Error("the server's certificate is not that of /c.pem"))],
  ["dns", refused(coded("ENOTFOUND"))],
  // The deepest is the most exact.
  ["dns", refused(named("TimeoutError", "x", { cause: coded("ENOTFOUND") }))],
  ["jetstream-off", coded("JETSTREAM_OFF")],
  ["version-mismatch", new AppError("daemon-version-mismatch", { found: 2, needed: 1 })],
  ["locked", new AppError("data-directory-locked", { dataDir: "/d", pid: 1 })],
  ["server-missing", new AppError("nats-server-missing", { what: "x" })],
  ["port-taken", new AppError("port-taken", { port: 4222, host: "h" })],
  ["disk-full", new AppError("disk-full", { what: "x", where: "/d" })],
  ["database", new AppError("audit-store-corrupt", { file: "f", what: "x", copy: "c" })],
  [
    "unwritable",
    new AppError("data-directory-unwritable", { dataDir: "/d", what: "x" }, coded("EACCES")),
  ],
  ["settings", new AppError("bad-settings", { what: "x", where: "y" })],
  ["unknown", new Error("something else")],
  ["unknown", undefined],
  ["unknown", "a text"],
];

describe("why there is no connection", () => {
  test.each(TABLE)("%s is the cause of %s", (code, error) => {
    expect(causeOf(error).code).toBe(code);
  });

  test("every cause that an error can have is in the table above", () => {
    const seen = new Set(TABLE.map(([code]) => code));
    // These two are decided before anything is tried.
    expect(CAUSE_CODES.filter((code) => !seen.has(code))).toEqual(["not-signed-in", "untrusted"]);
  });

  test("an error over several addresses is the cause that one of them names", () => {
    const both = new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")], "all failed");
    expect(causeOf(both).code).toBe("refused");
  });

  test("an error that causes itself has an end", () => {
    const error = new Error("round");
    error.cause = error;
    expect(causeOf(error)).toEqual({ code: "unknown", detail: "round" });
  });

  test("an error of ours is told as its sentence with its hint", () => {
    const error = new AppError("port-taken", { port: 4222, host: "127.0.0.1" });
    expect(error.message).toBe("Port 4222 on 127.0.0.1 is taken.");
    expect(causeOf(error).detail).toBe(`${error.message} ${error.hint}`);
  });

  test("neither seeds nor passwords are told", () => {
    const seed = `SU${"A".repeat(56)}`;
    const detail = causeOf(new Error(`nats://ada:secret@h:1 said ${seed}`)).detail;
    expect(detail).not.toMatch(/SUAAA|ada:secret/);
  });

  test("what only a person can mend is not tried again by itself", () => {
    const final = CAUSE_CODES.filter((code) => isFinal({ code, detail: "" }));
    expect(final).toEqual([
      "credentials",
      "not-signed-in",
      "tls",
      "jetstream-off",
      "version-mismatch",
    ]);
  });
});

describe("pauses between attempts", () => {
  test("they grow from a quarter of a second to half a minute", () => {
    const middle = [1, 2, 3, 4, 5, 6, 7, 8, 99].map((attempt) => backoffMs(attempt, () => 0.5));
    expect(middle).toEqual([250, 500, 1000, 2000, 4000, 8000, 15_000, 30_000, 30_000]);
  });

  test("they are spread by a fifth, so that windows do not return together", () => {
    expect([backoffMs(3, () => 0), backoffMs(3, () => 1)]).toEqual([800, 1200]);
  });
});

import { describe, expect, test } from "vitest";
import { createDisposables } from "../../../extension/disposables.ts";
import { windowHint } from "../../../extension/hints.ts";
import { createSource } from "../../../extension/observable.ts";
import { isAddress, placeOf, secretKey } from "../../../extension/profiles.ts";
import type { AppError } from "../../../shared/errors.ts";

describe("a value with listeners", () => {
  test("listeners hear of another value once, and not of the same", () => {
    const source = createSource(1);
    const heard: number[] = [];
    source.onChange((value) => heard.push(value));
    source.set(1);
    source.set(2);
    source.set(2);
    expect(heard).toEqual([2]);
  });

  test("who stopped listening hears no more, also when it stops while others are called", () => {
    const source = createSource(1);
    const heard: string[] = [];
    const forget: (() => void)[] = [];
    source.onChange(() => {
      heard.push("first");
      for (const stop of forget) stop();
    });
    forget.push(source.onChange(() => heard.push("second")));
    source.set(2);
    expect(heard).toEqual(["first"]);
  });

  test("a listener that throws does not keep the others from hearing", () => {
    const failures: unknown[] = [];
    const source = createSource(1, (error) => failures.push(error));
    const heard: number[] = [];
    source.onChange(() => {
      throw new Error("broken");
    });
    source.onChange((value) => heard.push(value));
    source.set(2);
    expect(heard).toEqual([2]);
    expect(failures).toHaveLength(1);
  });

  test("a listener that sets another value lets everybody hear the last one last", () => {
    const source = createSource(1);
    const heard: number[] = [];
    source.onChange((value) => value === 2 && source.set(3));
    source.onChange((value) => heard.push(value));
    source.set(2);
    expect(heard).toEqual([3]);
  });
});

describe("disposables", () => {
  test("they are given back in reverse, and one that fails does not keep the others", () => {
    const given: string[] = [];
    const failures: unknown[] = [];
    const kept = createDisposables((error) => failures.push(error));
    kept.add({ dispose: () => given.push("a") });
    kept.add({
      dispose() {
        throw new Error("broken");
      },
    });
    kept.add({ dispose: () => given.push("c") });
    kept.dispose();
    kept.dispose();
    expect(given).toEqual(["c", "a"]);
    expect(failures).toHaveLength(1);
  });

  test("one that comes after the end is given back at once", () => {
    const given: string[] = [];
    const kept = createDisposables();
    kept.dispose();
    kept.add({ dispose: () => given.push("late") });
    expect(given).toEqual(["late"]);
  });
});

describe("hints of errors in a window", () => {
  test("advice for the command line is left out, what else they say stays", () => {
    const hint = (text: string): string => windowHint({ hint: text });
    expect(hint("Start one with `msgsys up --detach`.")).toBe("");
    expect(hint("Make it writable, or choose another with --data.")).toBe("");
    expect(hint("It needs the role Manager or higher; ask with `msgsys user role`.")).toBe(
      "It needs the role Manager or higher.",
    );
    expect(hint("Choose another nats.port, or 0 for any free port.")).toBe(
      "Choose another nats.port, or 0 for any free port.",
    );
  });
});

describe("connection profiles", () => {
  const settings = { profile: "", profiles: {}, dataDir: "/data", localCertificate: undefined };
  const codeOf = (run: () => unknown): string | null => {
    try {
      run();
      return null;
    } catch (error) {
      return (error as AppError).code;
    }
  };

  test("without a profile it is the daemon of this machine", () => {
    expect(placeOf(settings)).toEqual({ kind: "local", dataDir: "/data" });
  });

  test("a profile names another machine, with the usual prefix if it names none", () => {
    const profiles = { work: { url: "tls://host:4222", tlsCertificate: "/c.pem" } };
    expect(placeOf({ ...settings, profile: "work", profiles })).toEqual({
      kind: "remote",
      url: "tls://host:4222",
      prefix: "ms",
      tlsCertificate: "/c.pem",
    });
  });

  test("a profile that is missing or wrong is an error, never this machine's daemon instead", () => {
    const wrong = { a: { url: "" }, b: { url: "tls://host", prefix: "NOT OK" } };
    for (const profile of ["a", "b", "gone", "toString"])
      expect(codeOf(() => placeOf({ ...settings, profile, profiles: wrong }))).toBe("bad-settings");
  });

  test("an address may be a host, a URL, or several of them", () => {
    expect(["nats://h:1", "tls://a,tls://b", "10.0.0.1:4222", "[::1]:4222"].map(isAddress)).toEqual(
      [true, true, true, true],
    );
    expect(["", " ", "http://h", "a b", "nats://"].map(isAddress)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
  });

  test("a login is kept for its address: another address has none", () => {
    expect(secretKey("tls://a:1")).not.toBe(secretKey("tls://b:1"));
    expect(secretKey("TLS://A:1")).toBe(secretKey("tls://a:1"));
  });
});

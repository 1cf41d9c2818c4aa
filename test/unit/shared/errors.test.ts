import { expect, test } from "vitest";
import { AppError, fromUnknown } from "../../../shared/errors.ts";

const systemError = (code: string, message: string, path?: string): Error =>
  Object.assign(new Error(`${code}: ${message}`), { code, ...(path ? { path } : {}) });

test("a full disk is told as such and with its place, whoever met it: Node or the broker", () => {
  const node = systemError("ENOSPC", "no space left on device, write '/data/x'", "/data/x");
  const broker = new Error("write /data/js/1.blk: no space left on device");
  expect(fromUnknown(node)).toMatchObject({ code: "disk-full", details: { where: "/data/x" } });
  expect(fromUnknown(broker)).toMatchObject({
    code: "disk-full",
    details: { where: "/data/js/1.blk" },
  });
});

test("a path that the system refuses is no defect of ours, other errors are", () => {
  const error = systemError("EACCES", "permission denied, open '/data/x'", "/data/x");
  expect(fromUnknown(error)).toMatchObject({ code: "path-unusable", details: { path: "/data/x" } });
  expect(fromUnknown(new TypeError("x is not a function"))).toMatchObject({ code: "internal" });
  expect(fromUnknown(error, "handler-failed")).toMatchObject({ code: "handler-failed" });
});

test("a message ends with one full stop, however its reason ended", () => {
  const message = (what: string): string => new AppError("nats-server-missing", { what }).message;
  expect(message("none there")).toBe("No nats-server was found: none there.");
  expect(message("None there.")).toBe("No nats-server was found: None there.");
});

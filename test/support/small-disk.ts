import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system of its own, to be filled or made read-only. */
export interface SmallDisk {
  readonly dir: string;
  setReadOnly(readOnly: boolean): void;
  unmount(): void;
}

/** Mounts one of this many megabytes; null where this user may not mount. */
export function mountSmallDisk(megabytes: number): SmallDisk | null {
  const dir = mkdtempSync(join(tmpdir(), "msgsys-disk-"));
  const mount = (options: string): void => {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", dir], { stdio: "ignore" });
  };
  try {
    mount(`size=${megabytes}m`);
  } catch {
    // Ignored: the caller does without.
    rmSync(dir, { recursive: true });
    return null;
  }
  return {
    dir,
    setReadOnly: (readOnly) => mount(`remount,${readOnly ? "ro" : "rw"}`),
    unmount() {
      execFileSync("umount", ["-l", dir]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Whether this user may mount at all. */
export function canMount(): boolean {
  const disk = mountSmallDisk(1);
  disk?.unmount();
  return disk !== null;
}

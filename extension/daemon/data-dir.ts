import { posix, win32 } from "node:path";

/** From what the data directory follows. */
export interface DataDirInputs {
  /** The setting; empty: none. Relative paths begin at `base`. */
  readonly setting: string;
  /** The workspace folder, or the home directory without one. */
  readonly base: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/**
 * The data directory, by the same rule as the daemon's and the command line's (`daemon/settings.ts`, a test compares
 * them): the setting, `MSGSYS_DATA`, else one per user. Absolute.
 */
export function dataDirOf({ setting, base, env, platform, home }: DataDirInputs): string {
  const path = platform === "win32" ? win32 : posix;
  const named = setting || env["MSGSYS_DATA"];
  if (named) return path.resolve(base, expandHome(named, home, path));
  if (platform === "win32")
    return path.join(env["LOCALAPPDATA"] || path.join(home, "AppData", "Local"), "msgsys");
  if (platform === "darwin") return path.join(home, "Library", "Application Support", "msgsys");
  const xdg = env["XDG_DATA_HOME"] ?? "";
  return path.join(path.isAbsolute(xdg) ? xdg : path.join(home, ".local", "share"), "msgsys");
}

/** `~` and `~/x` as a path below the home directory; everything else as it is. */
export function expandHome(named: string, home: string, path: Pick<typeof posix, "join">): string {
  return named === "~" || named.startsWith("~/") ? path.join(home, named.slice(1)) : named;
}

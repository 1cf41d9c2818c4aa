import { homedir } from "node:os";
import { resolveDataDir } from "../settings.ts";

/** The data directory: the one given, else `MSGSYS_DATA`, else this user's own. Absolute. */
export function dataDirOf(
  given: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return resolveDataDir({
    flag: given,
    env,
    platform: process.platform,
    home: homedir(),
    cwd: process.cwd(),
  });
}

import { rm } from "node:fs/promises";
import { AppError, describe } from "../../shared/errors.ts";
import type { Settings } from "../../shared/settings.ts";
import { writeAtomically } from "../write-atomically.ts";
import { runProgram } from "./run-program.ts";
import { renderServerConfig, type ServerUsers } from "./server-config.ts";
import type { ServerFiles } from "./server-files.ts";

const TEST_TIMEOUT_MS = 5000;

/** The configuration file on disk, as the users and the ports in force make it. */
export interface ServerConfigFile {
  users(): ServerUsers;
  write(): Promise<void>;
  /** Asks the program whether it would take the file with these users. Throws `nats-server-failed`. */
  test(program: string, users: ServerUsers): Promise<void>;
  replace(users: ServerUsers): Promise<void>;
  /** From now on this port instead of any free one: clients come back to the address that they know. */
  keepPort(port: number): Promise<void>;
}

/** Renders once, so that a setting that cannot work is told (`bad-settings`) before anything is touched. */
export function createServerConfigFile(
  settings: Settings["nats"],
  files: ServerFiles,
  serverName: string,
  firstUsers: ServerUsers,
): ServerConfigFile {
  let port = settings.port === 0 ? -1 : settings.port;
  let logins = firstUsers;
  const render = (users: ServerUsers): string =>
    renderServerConfig({
      serverName,
      settings,
      port,
      // Stays as it was set: a server that runs does not take another port for it in a reload.
      httpPort: settings.httpPort,
      runDir: files.runDir,
      storeDir: files.storeDir,
      logFile: files.log,
      pidFile: files.pid,
      logins: users,
    });
  const write = (): Promise<void> =>
    writeAtomically(files.config, render(logins), { durable: true });
  render(logins);
  return {
    users: () => logins,
    write,
    async test(program, users) {
      const draft = `${files.config}.draft`;
      await writeAtomically(draft, render(users), { durable: false });
      try {
        await runProgram(program, ["-t", "-c", draft], { timeoutMs: TEST_TIMEOUT_MS });
      } catch (error) {
        const what = `it does not take the new users (${describe(error)})`;
        throw new AppError("nats-server-failed", { what, log: files.log }, error);
      } finally {
        await rm(draft, { force: true });
      }
    },
    replace(users) {
      logins = users;
      return write();
    },
    keepPort(known) {
      port = known;
      return write();
    },
  };
}

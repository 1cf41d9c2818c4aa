import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Connection, Place } from "../../extension/daemon/connection.ts";
import type { Login } from "../../extension/daemon/login.ts";
import { openConnection, type StartSettings } from "../../extension/daemon/open-connection.ts";
import type { ConnectionState } from "../../shared/connection.ts";
import type { DaemonLease } from "../../shared/settings.ts";
import { ROOT } from "./sources.ts";
import { until } from "./until.ts";

/** What the extension of one VS Code window does with a daemon, without VS Code. */
export interface TestWindow {
  readonly connection: Connection;
  /** The kinds of the states that it went through, in order. */
  readonly kinds: () => readonly ConnectionState["kind"][];
  /** Waits for a state of this kind and gives it. */
  reaches<K extends ConnectionState["kind"]>(
    kind: K,
  ): Promise<Extract<ConnectionState, { kind: K }>>;
  close(): Promise<void>;
}

export interface TestWindowOptions {
  readonly place: Place | (() => Place);
  /** Asked at each attempt. */
  readonly login?: Login | null;
  readonly start?: Partial<StartSettings>;
}

const PROGRAM = join(ROOT, "dist", "daemon.mjs");

/** The daemon's program as it is packaged, from the sources of now. */
export function buildDaemon(): void {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "build.mjs"), "daemon"], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`not built: ${stderr}`);
}

export function openWindow(options: TestWindowOptions): TestWindow {
  const kinds: ConnectionState["kind"][] = ["idle"];
  const { place } = options;
  const connection = openConnection({
    place: typeof place === "function" ? place : () => place,
    signedIn: async () => options.login ?? null,
    startSettings: () => ({
      program: PROGRAM,
      node: process.execPath,
      env: process.env,
      workspace: null,
      configFile: null,
      natsServerPath: null,
      ...options.start,
    }),
    log: () => {},
  });
  connection.state.onChange(({ kind }) => {
    if (kinds.at(-1) !== kind) kinds.push(kind);
  });
  return {
    connection,
    kinds: () => kinds,
    async reaches(kind) {
      const state = await until(
        () => connection.state.get(),
        (now) => now.kind === kind,
      );
      return state as never;
    },
    close: () => connection.close(),
  };
}

/** What the lease file of a data directory says. */
export function leaseOf(dataDir: string): DaemonLease {
  return JSON.parse(readFileSync(join(dataDir, "daemon.json"), "utf8")) as DaemonLease;
}

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { type ConnectedClient, connect } from "../../../daemon/sdk.ts";
import { DATA_FILES, type DaemonLease } from "../../../shared/settings.ts";
import { until } from "../../support/until.ts";
import { openWindow, type WindowOptions, type Workbench } from "../pages/workbench.ts";
import { BROWSER_ARGS } from "./browser.ts";
import { startCodeServer } from "./code-server.ts";
import { kill, processesWith, type Running } from "./processes.ts";

/** What `run.ts` has found or made, for the files that run the scenarios. */
export interface Prepared {
  readonly codeServer: string;
  readonly browser: string;
  readonly vsix: string;
  /** Where the homes of this run lie: its processes are known by that path. */
  readonly scratch: string;
}

export const PREPARED = "MSGSYS_E2E";

/** A VS Code with nothing but the package in it, a home and a workspace of its own, and no Node or nats-server to find. */
export interface VsCode {
  readonly home: string;
  /** The folder that its windows open. */
  readonly workspace: string;
  readonly dataDir: string;
  openWindow(options?: Omit<WindowOptions, "url" | "workspace">): Promise<Workbench>;
  /** The record of the daemon that its windows started; null: none runs. */
  lease(): DaemonLease | null;
  /** A client of that daemon, with its owner's rights, to see the truth beside the screen. */
  client(): Promise<ConnectedClient>;
  /** Processes that belong to it: server, extension hosts, daemon, workers, nats-server. */
  processes(): Running[];
  /** Ends everything; throws when a process stays. */
  close(): Promise<void>;
}

export interface VsCodeOptions {
  /** Copied into the workspace. */
  readonly files?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Settings of the daemon, as variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A workspace with tasks that wait until a test lets them go on. */
export const GATED = join(import.meta.dirname, "..", "workspace");

/** One task at a time, so that the order in which they run is the order in which they were taken. */
export const ONE_SLOT = {
  MSGSYS_WORKERS_POOLS: JSON.stringify({ only: { queues: ["*"], slots: 1, expressSlots: 0 } }),
};

/** Programs that shells and VS Code start; nothing else is on PATH. */
const TOOLS = ["sh", "env", "ps", "uname", "kill", "sleep", "which", "cat"];

export async function startVsCode(options: VsCodeOptions = {}): Promise<VsCode> {
  const prepared = JSON.parse(process.env[PREPARED] ?? "{}") as Prepared;
  const home = mkdtempSync(join(prepared.scratch ?? tmpdir(), "vscode-"));
  const workspace = join(home, "workspace");
  if (options.files !== undefined) cpSync(options.files, workspace, { recursive: true });
  else mkdirSync(workspace);
  const server = await startCodeServer({
    root: prepared.codeServer,
    vsix: prepared.vsix,
    home,
    env: { ...cleanEnv(home), ...options.env },
    settings: options.settings ?? {},
  });
  const dataDir = join(home, "data", "msgsys");
  const clients: ConnectedClient[] = [];
  const windows: Workbench[] = [];
  let browser: Browser | null = null;

  function lease(): DaemonLease | null {
    const file = join(dataDir, DATA_FILES.lease);
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as DaemonLease) : null;
  }

  async function close(): Promise<void> {
    // One that fails must not keep the others up.
    const closing = [...clients, ...windows].map((one) => one.close());
    await Promise.allSettled(closing);
    await Promise.allSettled([browser?.close(), server.stop()]);
    for (const { pid, command } of processesWith(home))
      if (command.includes("daemon.mjs")) kill(pid, "SIGTERM");
    try {
      await until(() => processesWith(home).length === 0);
    } finally {
      for (const { pid } of processesWith(home)) kill(pid);
    }
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }

  return {
    home,
    workspace,
    dataDir,
    async openWindow(window = {}) {
      browser ??= await chromium.launch({ executablePath: prepared.browser, args: BROWSER_ARGS });
      const opened = await openWindow(browser, { ...window, url: server.url, workspace });
      windows.push(opened);
      return opened;
    },
    lease,
    async client() {
      const client = await connect({ dataDir });
      clients.push(client);
      return client;
    },
    processes: () => processesWith(home),
    close,
  };
}

/** A home of its own and a PATH with neither Node nor nats-server: what is needed must be in the package. */
function cleanEnv(home: string): Record<string, string> {
  const bin = join(home, "bin");
  mkdirSync(bin);
  for (const name of TOOLS)
    for (const folder of ["/usr/bin", "/bin"])
      if (existsSync(join(folder, name)) && !existsSync(join(bin, name)))
        symlinkSync(join(folder, name), join(bin, name));
  for (const name of ["run", "data", "config", "cache"])
    mkdirSync(join(home, name), { mode: 0o700 });
  return {
    HOME: home,
    USER: "ada",
    LANG: "C.UTF-8",
    PATH: bin,
    SHELL: join(bin, "sh"),
    TMPDIR: tmpdir(),
    XDG_RUNTIME_DIR: join(home, "run"),
    XDG_DATA_HOME: join(home, "data"),
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_CACHE_HOME: join(home, "cache"),
    // Other daemons may run on this machine.
    MSGSYS_DASHBOARD_PORT: "0",
  };
}

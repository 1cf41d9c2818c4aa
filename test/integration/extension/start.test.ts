import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { AppError } from "../../../shared/errors.ts";
import { ROOT } from "../../support/sources.ts";
import { until } from "../../support/until.ts";
import {
  buildDaemon,
  leaseOf,
  openWindow,
  type TestWindow,
  type TestWindowOptions,
} from "../../support/window.ts";

beforeAll(buildDaemon);

let home = "";
let dataDir = "";
const windows: TestWindow[] = [];

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "msgsys-window-"));
  dataDir = join(home, "data");
});

afterEach(async () => {
  const [first] = windows;
  if (first !== undefined && existsSync(join(dataDir, "daemon.json")))
    await first.connection.stop();
  for (const window of windows.splice(0)) await window.close();
  rmSync(home, { recursive: true, force: true });
});

function open(start: TestWindowOptions["start"] = {}): TestWindow {
  const window = openWindow({ place: { kind: "local", dataDir }, start });
  windows.push(window);
  return window;
}

/** Why the start was refused, and what the window shows then. */
async function refusal(window: TestWindow): Promise<{ error: AppError; code: string }> {
  const error = await window.connection.start().then(
    () => null,
    (reason: unknown) => reason as AppError,
  );
  const state = window.connection.state.get();
  if (error === null || state.kind !== "offline") throw new Error(`it started: ${state.kind}`);
  expect(state.cause.detail).toContain(error.message);
  return { error, code: state.cause.code };
}

describe("a window that starts a daemon", () => {
  test("needs neither Node nor nats-server on the PATH, and what VS Code has in its environment does no harm", async () => {
    const nowhere = join(home, "empty");
    mkdirSync(nowhere);
    const window = open({
      env: {
        HOME: home,
        PATH: nowhere,
        NODE_OPTIONS: "--require=/no/such/debugger.js",
        VSCODE_PID: "1",
        ELECTRON_NO_ATTACH_CONSOLE: "1",
      },
    });
    await window.connection.start();
    await window.reaches("connected");
    const client = window.connection.client.get()!;
    const status = await until(
      () => client.status(),
      ({ workers }) => workers.length > 0 && workers.every(({ state }) => state === "ready"),
    );
    expect(status.daemon).toMatchObject({ dataDir, state: "ready", pid: leaseOf(dataDir).pid });
    const environment = readFileSync(`/proc/${status.daemon.pid}/environ`, "utf8");
    expect(environment).not.toMatch(/VSCODE_|NODE_OPTIONS|ELECTRON_NO/);
  });

  test("it outlives the window, which finds it again", async () => {
    const window = open();
    await window.connection.start();
    await window.reaches("connected");
    const { pid } = leaseOf(dataDir);
    await window.close();
    const again = open();
    again.connection.connect();
    await again.reaches("connected");
    expect((await again.connection.client.get()!.status()).daemon.pid).toBe(pid);
  });

  test("several windows that start one at the same moment share one daemon", async () => {
    const all = [open(), open(), open()];
    await Promise.all(all.map(({ connection }) => connection.start()));
    const pids = await Promise.all(
      all.map(async (window) => {
        await window.reaches("connected");
        return (await window.connection.client.get()!.status()).daemon.pid;
      }),
    );
    expect(new Set(pids).size).toBe(1);
    expect(pids[0]).toBe(leaseOf(dataDir).pid);
  });

  test("a window that only looks is connected as soon as another one has started it", async () => {
    const looking = open();
    looking.connection.connect();
    expect((await looking.reaches("offline")).cause.code).toBe("no-daemon");
    await open().connection.start();
    await looking.reaches("connected");
  });

  test("stopped and started again it is another daemon with the same data", async () => {
    const window = open();
    await window.connection.start();
    await window.reaches("connected");
    const { pid } = leaseOf(dataDir);
    await window.connection.stop();
    expect(existsSync(join(dataDir, "daemon.json"))).toBe(false);
    await window.connection.start();
    await window.reaches("connected");
    expect(leaseOf(dataDir).pid).not.toBe(pid);
  });
});

describe("the workspace of a window", () => {
  const WORKSPACE = join(ROOT, "test", "fixtures", "workspace");
  const tasksOf = async (window: TestWindow): Promise<readonly string[]> => {
    await window.connection.start();
    await window.reaches("connected");
    const client = window.connection.client.get()!;
    await until(
      () => client.status(),
      ({ workers }) => workers.length > 0 && workers.every(({ state }) => state === "ready"),
    );
    return (await client.definitions()).tasks.map(({ name }) => name);
  };

  test("a trusted one gives its tasks to the daemon", async () => {
    expect(await tasksOf(open({ workspace: WORKSPACE }))).toContain("test.work");
  });

  test("without one the daemon has the built-in tasks alone", async () => {
    const names = await tasksOf(open({ workspace: null, configFile: join(WORKSPACE, "x.ts") }));
    expect(names).toContain("cls.sync");
    expect(names).not.toContain("test.work");
  });
});

describe("a start that fails is told in a sentence", () => {
  test("a directory that another process holds", async () => {
    const child = await hold(dataDir);
    const { error, code } = await refusal(open({ timeoutMs: 2000 }));
    child.kill();
    expect(error.message).toContain(`Another process holds the data directory ${dataDir}`);
    expect(code).toBe("locked");
  });

  test("a directory that cannot be made", async () => {
    writeFileSync(join(home, "data"), "a file where the directory should be");
    const { error, code } = await refusal(open());
    expect(error.code).toBe("data-directory-unwritable");
    expect(error.message).toContain(dataDir);
    expect(code).toBe("unwritable");
  });

  test("a setting that does not fit", async () => {
    const { error, code } = await refusal(
      open({ env: { ...process.env, MSGSYS_NATS_PORT: "many" } }),
    );
    expect(error.message).toContain("MSGSYS_NATS_PORT");
    expect(code).toBe("settings");
  });

  test("a nats-server that is not there", async () => {
    const { error, code } = await refusal(open({ natsServerPath: join(home, "no-server") }));
    expect(error.message).toMatch(/^No nats-server was found/);
    expect(code).toBe("server-missing");
  });

  test("a Node that is not there", async () => {
    const { error } = await refusal(open({ node: join(home, "no-node") }));
    expect(error.message).toContain("no-node");
  });

  test("and the next one that succeeds is connected", async () => {
    let port: string | undefined = "many";
    const window = openWindow({
      place: { kind: "local", dataDir },
      start: {
        get env() {
          return { ...process.env, MSGSYS_NATS_PORT: port };
        },
      },
    });
    windows.push(window);
    await refusal(window);
    port = undefined;
    await window.connection.start();
    await window.reaches("connected");
  });
});

/** A process that holds the lock of a data directory and is no daemon. */
async function hold(dir: string): Promise<ChildProcess> {
  const program = join(ROOT, "test", "support", "hold-lock-child.ts");
  const child = fork(program, [dir]);
  await once(child, "message");
  return child;
}

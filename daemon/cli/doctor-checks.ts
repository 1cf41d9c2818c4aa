import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { StatusView } from "../../shared/control.ts";
import { type AppError, fromUnknown } from "../../shared/errors.ts";
import { BUNDLED_SERVER_DIR } from "../entry.ts";
import { lockDataDir } from "../lifecycle/lock.ts";
import { defaultCacheDir, locateNatsServer } from "../nats/locate.ts";
import { liveLease } from "../sdk/find-daemon.ts";
import { loadSettings } from "../settings.ts";
import type { Context } from "./context.ts";
import { bytesWords, plural, relativeTime } from "./words.ts";

/** One thing looked at. */
export interface Check {
  readonly what: string;
  /** `note`: works, but worth knowing. */
  readonly state: "ok" | "note" | "missing";
  readonly found: string;
  /** Where it was found, or which setting decides. */
  readonly from: string;
  /** What to do; null when nothing has to be done. */
  readonly remedy: string | null;
}

const LEAST_NODE = [22, 22] as const;
const LEAST_FREE_BYTES = 500_000_000;

const fine = (what: string, found: string, from: string): Check => ({
  what,
  state: "ok",
  found,
  from,
  remedy: null,
});

function missing(what: string, error: AppError, from: string): Check {
  return { what, state: "missing", found: error.message, from, remedy: error.hint };
}

/** What can be looked at without a daemon. */
export async function checkMachine(context: Context): Promise<Check[]> {
  return [
    checkNode(),
    await checkSettings(context),
    await checkServer(context),
    checkDataDir(context),
    await checkSpace(context),
  ];
}

function checkNode(): Check {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const enough = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  return {
    what: "Node",
    state: enough ? "ok" : "missing",
    found: process.version,
    from: process.execPath,
    remedy: enough ? null : `Node ${LEAST_NODE.join(".")} or newer is needed.`,
  };
}

async function checkSettings({ io }: Context): Promise<Check> {
  try {
    const { sources, warnings, configError } = await loadSettings({
      cwd: io.cwd,
      env: io.env,
      flags: {},
    });
    if (configError !== null) return missing("Settings", configError, io.cwd);
    const given = Object.keys(sources).length;
    const found = given === 0 ? "all defaults" : `${plural(given, "setting")} given`;
    return {
      ...fine("Settings", found, [...new Set(Object.values(sources))].join(", ") || "defaults"),
      ...(warnings.length === 0 ? {} : { state: "note", remedy: warnings.join(" ") }),
    };
  } catch (error) {
    return missing("Settings", fromUnknown(error), io.cwd);
  }
}

async function checkServer({ io }: Context): Promise<Check> {
  try {
    // Ignored: settings that cannot be read are told by their own check; the server is looked for as without them.
    const loaded = await loadSettings({ cwd: io.cwd, env: io.env, flags: {} }).catch(() => null);
    const { url, serverPath } = loaded?.settings.nats ?? {};
    if (url !== undefined)
      return fine("nats-server", "external, none needed here", `nats.url ${url}`);
    const server = await locateNatsServer({
      bundledDir: BUNDLED_SERVER_DIR,
      cacheDir: await defaultCacheDir(),
      allowDownload: false,
      log: () => {},
      ...(serverPath === undefined ? {} : { serverPath }),
    });
    return fine("nats-server", server.version, `${server.path} (${server.source})`);
  } catch (error) {
    const failure = fromUnknown(error);
    return failure.code === "nats-server-missing"
      ? {
          what: "nats-server",
          state: "note",
          found: "none on this machine",
          from: "PATH and cache",
          remedy: "The daemon fetches one at its start, or install nats-server 2.12.1 or newer.",
        }
      : missing("nats-server", failure, "nats.serverPath");
  }
}

/** Taking the lock proves that the directory can be written and that nobody else has it. */
function checkDataDir({ dataDir }: Context): Check {
  if (!existsSync(dataDir))
    return fine("Data directory", "not made yet, the first start does", dataDir);
  try {
    lockDataDir(dataDir).release();
    return fine("Data directory", "writable, no daemon holds it", dataDir);
  } catch (error) {
    const failure = fromUnknown(error);
    if (failure.code === "already-running")
      return fine("Data directory", `held by the daemon, pid ${failure.details["pid"]}`, dataDir);
    return missing("Data directory", failure, dataDir);
  }
}

async function checkSpace({ dataDir }: Context): Promise<Check> {
  let folder = dataDir;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const enough = free >= LEAST_FREE_BYTES;
  return {
    what: "Disk space",
    state: enough ? "ok" : "note",
    found: `${bytesWords(free)} free`,
    from: folder,
    remedy: enough ? null : "Streams, audit and CLS stores grow there: make room.",
  };
}

/** What only a running daemon can tell. Its absence is worth knowing and no fault. */
export async function checkConnected(context: Context): Promise<Check[]> {
  const { dataDir, io, globals } = context;
  const lease = liveLease(dataDir, io.now());
  if (lease === null && globals.url === undefined)
    return [
      {
        what: "Daemon",
        state: "note",
        found: "none runs",
        from: dataDir,
        remedy: "`msgsys up --detach` starts one.",
      },
    ];
  const checks: Check[] = [];
  if (lease !== null)
    checks.push(
      fine(
        "Daemon",
        `${lease.state}, pid ${lease.pid}, started ${relativeTime(lease.startedAt, io.now())}`,
        dataDir,
      ),
    );
  try {
    const client = await context.client();
    const status = await client.status();
    checks.push(fine("Connection", `as ${client.user}`, status.nats.url), ...statusChecks(status));
  } catch (error) {
    checks.push(missing("Connection", fromUnknown(error), lease?.natsUrl ?? String(globals.url)));
  }
  return checks;
}

function statusChecks({ daemon, nats, audit, workers }: StatusView): Check[] {
  const bad = workers.filter(({ state }) => state !== "ready");
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  return [
    fine("NATS", nats.version, nats.embedded ? "embedded" : "external"),
    daemon.degraded.length === 0
      ? fine("Streams", "all in order", nats.url)
      : {
          what: "Streams and store",
          state: "missing",
          found: daemon.degraded.join(" "),
          from: nats.url,
          remedy: "`msgsys logs` tells more.",
        },
    audit.state === "ok"
      ? fine("Audit", `${plural(audit.lagRecords, "record")} behind`, audit.file)
      : {
          what: "Audit",
          state: "missing",
          found: audit.cause ?? "unavailable",
          from: audit.file,
          remedy: "Tasks go on; make room or repair the file and the audit catches up.",
        },
    {
      what: "Workers",
      state: workers.length === 0 || bad.length > 0 ? "note" : "ok",
      found: `${plural(workers.length, "worker")} with ${plural(slots, "slot")}`,
      from: workers.map(({ pool }) => pool).join(", ") || "none connected",
      remedy:
        workers.length === 0
          ? "No task runs without a worker: write a msgsys.config.ts (`msgsys init`)."
          : bad
              .map(
                ({ pool, state, error }) =>
                  `${pool} is ${state}${error === null ? "" : `: ${error}`}.`,
              )
              .join(" ") || null,
    },
  ];
}

#!/usr/bin/env node
/**
 * The command `msgsys`. Runs the CLI in this process when its Node is new enough, else starts one that is: the Node
 * installed beside this file, or one on PATH. Arguments, input, output, signals and exit code pass through unchanged.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { DIST, isBundleFresh } from "./bundle.mjs";

const SELF = fileURLToPath(import.meta.url);
const HERE = dirname(SELF);
const NODE_FILE = process.platform === "win32" ? "node.exe" : "node";

/** From this version on Node runs TypeScript as it stands. */
function isNewEnough(version) {
  const [major = 0, minor = 0] = version.trim().replace(/^v/, "").split(".").map(Number);
  return major > 22 || (major === 22 && minor >= 22);
}

/** The CLI's bundle, or its sources when they were edited since: what runs is never older than what is read. */
function cliEntry() {
  const source = join(HERE, "daemon", "cli", "main.ts");
  return isBundleFresh() || !existsSync(source) ? join(DIST, "cli.mjs") : source;
}

function findNode() {
  const folders = [
    join(HERE, "node_modules", "node", "bin"),
    ...(process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""),
  ];
  const candidates = folders.map((folder) => join(folder, NODE_FILE)).filter(existsSync);
  return candidates.find((path) => {
    const result = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 5000 });
    return result.status === 0 && isNewEnough(result.stdout);
  });
}

/** Ends as the child ended; by the same signal if it was one. */
function endLike(code, signal) {
  if (signal === null) return process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // Some signals do not end a process on every system; the shells' convention does then.
  setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 1000);
}

function runOn(node) {
  const child = spawn(node, [SELF, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends its signals to every process of the command, so passing them on would deliver them twice.
  const fromTerminal = [process.stdin, process.stdout, process.stderr].some((s) => s.isTTY);
  for (const signal of ["SIGINT", "SIGHUP", "SIGQUIT"])
    process.on(signal, () => fromTerminal || child.kill(signal));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => {
    process.stderr.write(`msgsys: ${node} cannot be started: ${error.message}\n`);
    process.exit(1);
  });
  child.on("close", endLike);
}

if (isNewEnough(process.version)) {
  // Compiled code is kept, so that the next start is quick; where it cannot be, nothing is lost.
  nodeModule.enableCompileCache?.(
    join(process.env.MSGSYS_CACHE ?? join(HERE, ".cache"), "compile"),
  );
  await import(pathToFileURL(cliEntry()).href);
} else {
  const node = findNode();
  if (node === undefined) {
    process.stderr.write(
      `msgsys: Node ${process.version} is too old, 22.22 or newer is needed.\n` +
        "Run `npm run setup` in the checkout, which brings one, or put a newer Node on PATH.\n",
    );
    process.exit(2);
  }
  runOn(node);
}

#!/usr/bin/env node
/**
 * Makes a checkout ready: installs the npm packages, links the command `msgsys`, bundles the program, and sees to a
 * nats-server.
 * npm calls it before `npm start` and `npm test`; it needs nothing but Node 20 and npm, and it ends at once when all is
 * in place. Every step says on stderr what it did.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { isBundleFresh } from "./bundle.mjs";
import { withLock } from "./setup-lock.mjs";

const ROOT = dirname(fileURLToPath(import.meta.url));
const MODULES = join(ROOT, "node_modules");
const WINDOWS = process.platform === "win32";
const NODE = join(MODULES, "node", "bin", WINDOWS ? "node.exe" : "node");
const NODE_LINK = join(MODULES, ".bin", WINDOWS ? "node.cmd" : "node");
const LAUNCHER = join(ROOT, "msgsys.mjs");
const STAMP = join(MODULES, ".msgsys-setup.json");
const OLDEST_NODE = [20, 0];
const OLDEST_DAEMON_NODE = [22, 22];

const say = (text) => process.stderr.write(`setup: ${text}\n`);

/** A failure whose message is all that a person needs. */
class SetupError extends Error {}

/** Whether `v24.21.0` is at least `[22, 22]`. */
function isAtLeast(version, [major, minor]) {
  const [foundMajor = 0, foundMinor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

/** The version that the Node at `path` prints, "" when it cannot run here. */
function nodeVersion(path) {
  const result = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 10_000 });
  return result.status === 0 ? result.stdout.trim() : "";
}

/** What tells one state of a file from another, "" when it is absent. */
function fingerprint(path) {
  const info = fs.statSync(path, { throwIfNoEntry: false });
  return info === undefined ? "" : `${info.size}:${info.mtimeMs}`;
}

function readJson(path) {
  try {
    return JSON.parse(fs.readFileSync(path, "utf8"));
  } catch {
    // Ignored: absent or damaged means the same here, that the step behind this file has to be done again.
    return null;
  }
}

/** What must be unchanged since the last set-up for it to count; file times instead of starts, because this runs often. */
function currentState(natsServer) {
  return {
    platform: `${process.platform}-${process.arch}`,
    lock: createHash("sha256")
      .update(fs.readFileSync(join(ROOT, "package-lock.json")))
      .digest("hex"),
    node: fingerprint(NODE),
    launcher: fs.existsSync(linkPath()) && (WINDOWS || isExecutable(LAUNCHER)),
    cache: process.env.MSGSYS_CACHE ?? "",
    natsServer,
    natsServerFile: fingerprint(natsServer),
  };
}

function isInPlace() {
  const stamp = readJson(STAMP);
  return (
    stamp !== null &&
    fs.existsSync(stamp.natsServer) &&
    JSON.stringify(stamp) === JSON.stringify(currentState(stamp.natsServer))
  );
}

/** PATH without the packages of this checkout, whose Node is about to be replaced, but with the Node that started us. */
function outsideEnv() {
  const started = [process.execPath, process.env.npm_node_execpath ?? process.execPath];
  const folders = (process.env.PATH ?? "").split(delimiter).concat(started.map(dirname));
  return {
    ...process.env,
    PATH: folders.filter((folder) => !folder.startsWith(MODULES)).join(delimiter),
  };
}

/** The program that this set-up waits for, if any, and the signal that asked this set-up to end. */
let running = null;
let stoppedBy = null;

/** Runs a program with its output on our stderr; resolves with its exit code or, if it was killed, the signal. */
function run(program, args, options = {}) {
  return new Promise((resolve, reject) => {
    running = spawn(program, args, { cwd: ROOT, stdio: ["ignore", 2, 2], ...options });
    running.on("error", (error) =>
      reject(new SetupError(`${program} cannot be run: ${error.message}`)),
    );
    running.on("close", (code, signal) => {
      running = null;
      if (stoppedBy === null) resolve(code ?? signal);
      else reject(new SetupError(`stopped by ${stoppedBy}`));
    });
  });
}

/** A set-up that is stopped takes its program with it, so that nothing goes on writing once the lock is released. */
function stop(signal) {
  if (running === null) process.exit(1);
  stoppedBy = signal;
  running.kill(signal);
}

function npm(args) {
  // On Windows npm is a script, which only a shell starts.
  return run("npm", args, { env: outsideEnv(), shell: WINDOWS });
}

/** Why an install is needed, or null: npm's own record of what it installed must fit the lock file. */
function whyInstall() {
  if (!fs.existsSync(MODULES)) return "node_modules is missing";
  const installed = readJson(join(MODULES, ".package-lock.json"))?.packages;
  if (installed === undefined) return "an install before did not end";
  const locked = JSON.parse(fs.readFileSync(join(ROOT, "package-lock.json"), "utf8")).packages;
  for (const [path, wanted] of Object.entries(locked)) {
    if (path === "" || wanted.optional || wanted.devOptional) continue;
    const found = installed[path];
    if (found?.version !== wanted.version || found?.integrity !== wanted.integrity)
      return `package-lock.json asks for another ${path}`;
    if (!fs.existsSync(join(ROOT, path, "package.json"))) return `${path} is missing`;
  }
  return null;
}

/**
 * No package needs its install script but `node`, which has a step of its own; without scripts nothing is compiled.
 * `npm ci` refuses a lock file as out of step when the registry lacks an optional package of another platform;
 * `npm install --no-save` takes the same versions from it and changes nothing.
 */
async function installPackages() {
  const why = whyInstall();
  if (why === null) return say("npm packages fit package-lock.json");
  const startedMs = Date.now();
  say(`npm ci, because ${why}`);
  const quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  let code = await npm(["ci", ...quietly]);
  if (code === 1) {
    say("npm ci failed, trying npm install with the versions of package-lock.json");
    code = await npm(["install", "--no-save", ...quietly]);
  }
  if (code !== 0)
    throw new SetupError(
      `npm failed (${code}); what it said stands above, then run the set-up again`,
    );
  say(`npm packages installed in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}

/**
 * The package `node` places its binary with an install script. On machines for which no such binary exists (musl) a new
 * enough Node of the machine does.
 */
async function seeToNode() {
  let version = nodeVersion(NODE);
  if (!isAtLeast(version, OLDEST_DAEMON_NODE) || !fs.existsSync(NODE_LINK)) {
    say("placing the binary of the package node");
    await run("node", ["installArchSpecificPackage.js"], {
      cwd: join(MODULES, "node"),
      env: { ...outsideEnv(), npm_config_ignore_scripts: "true" },
    });
    // npm links only binaries that exist when it looks.
    await npm(["rebuild", "node", "--ignore-scripts"]);
    version = nodeVersion(NODE);
  }
  if (isAtLeast(version, OLDEST_DAEMON_NODE) && fs.existsSync(NODE_LINK))
    return say(`Node ${version} in node_modules`);
  const outside = spawnSync("node", ["--version"], { env: outsideEnv(), encoding: "utf8" });
  if (!isAtLeast(outside.stdout ?? "", OLDEST_DAEMON_NODE))
    throw new SetupError(
      `the Node in node_modules does not run here; put Node ${OLDEST_DAEMON_NODE.join(".")} or newer on PATH`,
    );
  fs.rmSync(NODE_LINK, { force: true });
  say(`the Node in node_modules does not run here, using Node ${outside.stdout.trim()} on PATH`);
}

function linkPath() {
  return join(MODULES, ".bin", WINDOWS ? "msgsys.cmd" : "msgsys");
}

function isExecutable(path) {
  return (fs.statSync(path).mode & 0o111) === 0o111;
}

/** Makes `npx msgsys` start this checkout. */
function linkLauncher() {
  if (!WINDOWS && !isExecutable(LAUNCHER)) fs.chmodSync(LAUNCHER, 0o755);
  fs.mkdirSync(dirname(linkPath()), { recursive: true });
  fs.rmSync(linkPath(), { force: true });
  if (WINDOWS) fs.writeFileSync(linkPath(), '@ECHO off\r\nnode "%~dp0\\..\\..\\msgsys.mjs" %*\r\n');
  else fs.symlinkSync("../../msgsys.mjs", linkPath());
  say("linked node_modules/.bin/msgsys");
}

/** The Node that runs the program and reads its sources. */
function daemonNode() {
  return fs.existsSync(NODE_LINK) ? NODE : "node";
}

/** What is bundled here, the program first: it waits for nothing of the dashboard that a browser can show. */
const BUNDLED = { daemon: "the sources", webview: "the dashboard" };

function staleParts() {
  return Object.keys(BUNDLED).filter((part) => !isBundleFresh(part));
}

async function bundle(part) {
  const startedMs = Date.now();
  const code = await run(daemonNode(), [join(ROOT, "build.mjs"), part]);
  // The program runs from its sources then, with more memory, or without a dashboard: no reason to stop here.
  if (code !== 0)
    return say(`${BUNDLED[part]} could not be bundled (${code}), what is wrong stands above`);
  say(`bundled ${BUNDLED[part]} in ${((Date.now() - startedMs) / 1000).toFixed(1)} s`);
}

/** Finds or fetches a nats-server; returns its path. */
async function seeToNatsServer() {
  const answer = join(MODULES, `.msgsys-nats-server.${process.pid}.json`);
  const output = fs.openSync(answer, "w");
  const code = await run(daemonNode(), [join(ROOT, "daemon", "nats", "ensure.ts")], {
    stdio: ["ignore", output, 2],
  });
  fs.closeSync(output);
  const server = readJson(answer);
  fs.rmSync(answer);
  if (code !== 0 || server === null)
    throw new SetupError("there is no fitting nats-server; the reasons stand above");
  say(`nats-server ${server.version} at ${server.path}`);
  return server.path;
}

/** The lock stands outside node_modules, which `npm ci` removes. */
function lockFile() {
  const folder = join(ROOT, ".cache");
  try {
    fs.mkdirSync(folder, { recursive: true });
    fs.accessSync(folder, fs.constants.W_OK);
  } catch (error) {
    throw new SetupError(
      `this user cannot write in ${ROOT} (${error.code}); its owner must run \`npm run setup\``,
    );
  }
  return join(folder, "setup.lock");
}

async function setUp() {
  if (!isInPlace()) await seeToPackages();
  for (const part of staleParts()) await bundle(part);
  say("ready");
}

async function seeToPackages() {
  await installPackages();
  await seeToNode();
  linkLauncher();
  const natsServer = await seeToNatsServer();
  const stamp = `${STAMP}.${process.pid}`;
  fs.writeFileSync(stamp, JSON.stringify(currentState(natsServer)));
  fs.renameSync(stamp, STAMP);
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
try {
  if (!isAtLeast(process.version, OLDEST_NODE))
    throw new SetupError(`Node ${process.version} is too old, 20 or newer is needed`);
  if (!isInPlace() || staleParts().length > 0) await withLock(lockFile(), say, setUp);
  else if (!(process.env.npm_lifecycle_event ?? "").startsWith("pre")) say("all is in place");
} catch (error) {
  say(error instanceof SetupError ? error.message : (error.stack ?? String(error)));
  process.exitCode = 1;
}

import * as fs from "node:fs";
import { hostname } from "node:os";
import process from "node:process";

const OWNER = `${hostname()} ${process.pid}\n`;
const BEAT_MS = 1000;
const STALE_MS = 15_000;

/**
 * Holds the lock `file` while `work` runs, so that two set-ups of one checkout go one after the other.
 * `say` is told of waiting and of a lock left by a set-up that was killed.
 */
export async function withLock(file, say, work) {
  for (let said = false; !tryLock(file, say); said = true) {
    if (!said) say("another set-up of this checkout is running, waiting for it");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const beat = setInterval(() => renewLock(file), BEAT_MS);
  process.once("exit", () => releaseLock(file));
  try {
    await work();
  } finally {
    clearInterval(beat);
    releaseLock(file);
  }
}

/** The holder renews the file's time; one that is not renewed was left by a set-up that was killed. */
function tryLock(file, say) {
  if (lockAgeMs(file) > STALE_MS) removeStaleLock(file, say);
  try {
    fs.writeFileSync(file, OWNER, { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function lockAgeMs(path) {
  const info = fs.statSync(path, { throwIfNoEntry: false });
  return info === undefined ? 0 : Date.now() - info.mtimeMs;
}

/** Moved aside first: if another set-up was faster and this is its new lock, it is put back. */
function removeStaleLock(file, say) {
  const aside = `${file}.${process.pid}`;
  try {
    fs.renameSync(file, aside);
    if (lockAgeMs(aside) > STALE_MS) say("removed the lock of a set-up that was killed");
    else fs.linkSync(aside, file);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
    // Ignored: another set-up removed the stale lock, or took a new one, in the same moment.
  }
  fs.rmSync(aside, { force: true });
}

function ownsLock(file) {
  try {
    return fs.readFileSync(file, "utf8") === OWNER;
  } catch {
    // Ignored: a lock that is gone is nobody's.
    return false;
  }
}

function renewLock(file) {
  if (ownsLock(file)) fs.utimesSync(file, new Date(), new Date());
}

function releaseLock(file) {
  if (ownsLock(file)) fs.rmSync(file, { force: true });
}

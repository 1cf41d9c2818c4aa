/**
 * Makes sure that this machine has a fitting nats-server: finds one, or fetches one into the cache.
 * Prints one line of JSON, `{ path, version, source }`, on stdout and every step on stderr.
 * With `--offline` nothing is fetched.
 */
import { argv, stderr, stdout } from "node:process";
import { fromUnknown } from "../../shared/errors.ts";
import { defaultCacheDir, locateNatsServer } from "./locate.ts";

function log(event: string, data?: object): void {
  stderr.write(`${event}${data === undefined ? "" : ` ${JSON.stringify(data)}`}\n`);
}

try {
  const server = await locateNatsServer({
    cacheDir: await defaultCacheDir(),
    allowDownload: !argv.includes("--offline"),
    log,
  });
  stdout.write(`${JSON.stringify(server)}\n`);
} catch (error) {
  const failure = fromUnknown(error);
  stderr.write(`${failure.code}: ${failure.message}\n${failure.hint}\n`);
  process.exitCode = failure.exitCode;
}

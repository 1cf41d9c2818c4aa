import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { AppError, describe, fromUnknown } from "../shared/errors.ts";
import { systemClock } from "./clock.ts";
import { collectWhenIdle } from "./collect-when-idle.ts";
import { listenForSignals } from "./lifecycle/signals.ts";
import { outliveFullDisk } from "./log-stdout.ts";
import { runDaemon } from "./run.ts";
import { resolveDataDir } from "./settings.ts";

/** Entry of the daemon: reads the command line, runs it, ends with the exit code of what happened. */
function readArgs() {
  try {
    return parseArgs({
      options: {
        data: { type: "string" },
        workspace: { type: "string" },
        config: { type: "string" },
        set: { type: "string", multiple: true },
      },
    }).values;
  } catch (error) {
    throw new AppError("bad-usage", { what: describe(error) }, error);
  }
}

/** `--set nats.port=4222` → `{ "nats.port": "4222" }`. */
function flagsOf(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at < 1) throw new AppError("bad-usage", { what: `--set takes key=value, not ${pair}` });
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** To the command that started this; started by hand, to standard error. */
async function tellFailure(error: AppError): Promise<void> {
  if (process.connected)
    await new Promise((told) => process.send?.(error.toWire(), undefined, undefined, told));
  else process.stderr.write(`msgsysd: ${error.message}\n${error.hint}\n`);
}

outliveFullDisk();
try {
  const values = readArgs();
  const workspace = resolve(values.workspace ?? ".");
  const daemon = await runDaemon({
    dataDir: resolveDataDir({
      flag: values.data,
      env: process.env,
      platform: process.platform,
      home: homedir(),
      cwd: process.cwd(),
    }),
    workspace,
    flags: {
      ...flagsOf(values.set ?? []),
      ...(values.config === undefined ? {} : { "workers.config": join(workspace, values.config) }),
    },
    env: process.env,
    osUser: userInfo().username,
    clock: systemClock,
  });
  collectWhenIdle();
  listenForSignals(
    { source: process, clock: systemClock },
    {
      graceful: (signal) => daemon.stop(signal),
      force: () => process.exit(1),
    },
  );
  const clean = await daemon.ended;
  process.exit(clean ? 0 : 1);
} catch (error) {
  const known = fromUnknown(error);
  await tellFailure(known);
  // A defect of ours: its stack helps whoever reports it, in the file that a start in the background writes.
  if (known.code === "internal" && error instanceof Error && !process.stderr.isTTY)
    process.stderr.write(`${error.stack}\n`);
  process.exit(known.exitCode);
}

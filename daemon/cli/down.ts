import { fromUnknown } from "../../shared/errors.ts";
import { liveLease, noDaemon } from "../sdk/find-daemon.ts";
import type { Context } from "./context.ts";
import { endDaemon, waitGone } from "./stop-daemon.ts";

/** Stops the daemon through its control API, or by a signal when it does not answer. */
export async function run(
  context: Context,
  _: unknown,
  { timeout }: { readonly timeout: number },
): Promise<number> {
  const { dataDir, io } = context;
  const lease = liveLease(dataDir, io.now());
  if (lease === null) throw noDaemon(dataDir);
  try {
    const client = await context.client();
    await client.request("shutdown", {});
    await client.close();
    await waitGone(lease, timeout);
  } catch (error) {
    const failure = fromUnknown(error);
    if (failure.code === "not-permitted" || failure.code === "daemon-stop-timed-out") throw failure;
    context.hint(`The daemon did not take the request (${failure.message}); sending it a signal.`);
    await endDaemon(lease, timeout);
  }
  context.result(
    { stopped: true, pid: lease.pid },
    () => `The daemon (pid ${lease.pid}) has stopped.`,
  );
  return 0;
}

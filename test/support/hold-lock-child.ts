/** Program of a process that holds a data directory until it is killed; for tests of the lock. */
import { lockDataDir } from "../../daemon/lifecycle/lock.ts";

const lock = lockDataDir(process.argv[2]!);
process.send?.(lock.dataDir);
// Keeps the process alive, and the lock referenced.
process.on("message", () => lock.release());

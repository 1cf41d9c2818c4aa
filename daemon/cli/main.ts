/** The command line's entry: nothing but what must be done before anything is loaded. */
import { enableCompileCache } from "node:module";

// Half of the start-up of a short command is compiling; the cache lies in the system's folder for temporary files.
enableCompileCache();
const [{ runCli }, { processIo }] = await Promise.all([import("./run-cli.ts"), import("./io.ts")]);
process.exitCode = await runCli(process.argv.slice(2), processIo());

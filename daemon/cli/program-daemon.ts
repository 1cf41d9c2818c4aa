import type { Command } from "commander";
import type { Lazy } from "./program.ts";
import { parseCount, parseDuration } from "./values.ts";

/** Commands about the daemon, its files and its people. */
export function addDaemonCommands(program: Command, lazy: Lazy): void {
  addLife(program, lazy);
  addCare(program, lazy);
  addUsers(program, lazy);
}

function addLife(program: Command, lazy: Lazy): void {
  program
    .command("init")
    .description("write a msgsys.config.ts with an example task here")
    .action(lazy(() => import("./init.ts")));
  program
    .command("up")
    .description("start the daemon and stay until Ctrl-C")
    .option("-d, --detach", "leave it running in the background")
    .option("--config <file>", "the msgsys.config.ts to use")
    .option("--workspace <dir>", "where .env and msgsys.config.ts are; default: here")
    .option("--timeout <time>", "how long the start may take", parseDuration, 120_000)
    .action(lazy(() => import("./up.ts")));
  program
    .command("down")
    .description("stop the daemon; running tasks may finish")
    .option("--timeout <time>", "how long the stop may take", parseDuration, 30_000)
    .action(lazy(() => import("./down.ts")));
  program
    .command("status")
    .description("how the daemon, its workers and queues are")
    .action(lazy(() => import("./status.ts")));
  program
    .command("dashboard")
    .description("a link to the dashboard in a browser on this machine, good for one sign-in")
    .option("--open", "open it at once")
    .action(lazy(() => import("./dashboard.ts")));
  program
    .command("doctor")
    .description("check everything that the daemon needs; works without one")
    .action(lazy(() => import("./doctor.ts")));
  program
    .command("worker")
    .description("start a pool of workers here that serves a daemon")
    .requiredOption("--queues <queues>", "one or several with commas; * is every other queue")
    .option("--pool <name>", "name of the pool", "extra")
    .option("--slots <n>", "tasks at the same time", parseCount, 10)
    .option("--config <file>", "the msgsys.config.ts with the tasks")
    .action(lazy(() => import("./worker.ts")));
  program
    .command("demo")
    .description("make an example input, run all CLS phases on it and show what came out")
    .option("--once", "end after the run and stop the daemon that was started")
    .action(lazy(() => import("./demo.ts")));
}

function addCare(program: Command, lazy: Lazy): void {
  program
    .command("logs")
    .argument("[taskId]", "only lines about this task")
    .description("what the daemon or a task logged")
    .option("-f, --follow", "go on until Ctrl-C")
    .option("-n, --lines <n>", "the last so many lines", parseCount, 50)
    .option("--all", "also the workers and the nats-server")
    .action(lazy(() => import("./logs.ts")));
  program
    .command("config")
    .description("every setting with its source")
    .action(lazy(() => import("./config.ts")));
  program
    .command("backup")
    .argument("<file>")
    .description("write a backup while everything runs")
    .action(lazy(() => import("./backup.ts")));
  program
    .command("restore")
    .argument("<file>")
    .description("put a backup in place; the daemon must be down, the present state is kept beside")
    .action(lazy(() => import("./restore.ts")));
}

function addUsers(program: Command, lazy: Lazy): void {
  const user = program.command("user").description("people and their roles");
  const load = async (name: "add" | "list" | "role" | "rotate" | "remove") => ({
    run: (await import("./user.ts"))[name],
  });
  user
    .command("add")
    .argument("<name>")
    .description("make a key here and let the daemon know its public half")
    .requiredOption("--role <role>", "Viewer, Operator, Manager or Admin")
    .option(
      "--out <file>",
      "where to write the seed; default: keys/<name>.nk of the data directory",
    )
    .action(lazy(() => load("add")));
  user
    .command("list")
    .description("who may log in")
    .action(lazy(() => load("list")));
  user
    .command("role")
    .argument("<name>")
    .argument("<role>", "Viewer, Operator, Manager or Admin")
    .description("give another role")
    .action(lazy(() => load("role")));
  user
    .command("rotate")
    .argument("<name>")
    .description("replace a key; the old one ends at once")
    .option("--out <file>", "where to write the seed; default: over the old one")
    .action(lazy(() => load("rotate")));
  user
    .command("remove")
    .argument("<name>")
    .description("let someone in no more")
    .action(lazy(() => load("remove")));
}

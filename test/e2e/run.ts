/**
 * `npm run test:e2e`: makes the package of this platform, brings a VS Code and a browser, and drives the product in them.
 * Arguments go to vitest, e.g. the name of a scenario. The last line is "N passed, N failed". Where no browser can be had
 * it says so loudly and ends with code 75.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBrowser } from "./support/browser.ts";
import { ensureCodeServer } from "./support/code-server.ts";
import { kill, processesWith } from "./support/processes.ts";
import { PREPARED, type Prepared } from "./support/vscode.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const SKIPPED = 75;
const say = (text: string): void => void process.stderr.write(`e2e: ${text}\n`);

function skip(why: string): never {
  say(`SKIPPED, NOTHING WAS TESTED: ${why}`);
  process.exit(SKIPPED);
}

/** The platform's name as VS Code has it; null: there is no package for it. */
function platform(): string | null {
  const isMusl = existsSync("/etc/alpine-release");
  const name = `${isMusl ? "alpine" : process.platform}-${process.arch}`;
  return process.platform === "linux" ? name : null;
}

function prepare(scratch: string): Prepared {
  const name = platform();
  if (name === null) skip("VS Code as a server is driven on Linux only");
  const browser = ensureBrowser(say);
  if (browser === null)
    skip("there is no Chromium: install one, or name one in MSGSYS_E2E_BROWSER");
  const cache = process.env["MSGSYS_CACHE"] ?? join(ROOT, ".cache");
  const codeServer = ensureCodeServer(cache, say);
  const packed = spawnSync(process.execPath, [join(ROOT, "package.mjs"), "--target", name], {
    stdio: ["ignore", 2, 2],
  });
  if (packed.status !== 0) throw new Error("the package could not be made");
  const vsix = join(ROOT, "dist", "vsix", `msg-sys-${name}.vsix`);
  return { codeServer, browser, vsix, scratch };
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/** A file that could not be run counts as one failed test. */
function summarize(file: string): { passed: number; failed: number } {
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(file, "utf8")) as Report;
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length };
}

function vitest(prepared: Prepared, report: string): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      join(ROOT, "node_modules", "vitest", "vitest.mjs"),
      ...["run", "--config", join(ROOT, "test", "e2e", "vitest.config.ts")],
      ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
      ...process.argv.slice(2),
    ],
    { stdio: "inherit", env: { ...process.env, [PREPARED]: JSON.stringify(prepared) } },
  );
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
}

// Short: the path of a socket has room for about a hundred characters.
const scratch = mkdtempSync(join(tmpdir(), "msgsys-e2e-"));
const report = process.env["MSGSYS_E2E_REPORT"] ?? join(scratch, "report.json");
const startedMs = performance.now();
try {
  const prepared = prepare(scratch);
  say(`ready after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  const code = await vitest(prepared, report);
  const { passed, failed } = summarize(report);
  // Nothing that the scenarios started may outlive them.
  const left = processesWith(scratch).filter(({ pid }) => pid !== process.pid);
  for (const { pid, command } of left) {
    say(`left behind: ${pid} ${command}`);
    kill(pid);
  }
  process.exitCode = code !== 0 || failed > 0 || passed === 0 || left.length > 0 ? 1 : 0;
  say(`took ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  process.stdout.write(`${passed} passed, ${failed + (left.length > 0 ? 1 : 0)} failed\n`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

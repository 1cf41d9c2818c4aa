import { spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  globSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { until } from "../../support/until.ts";

/** VS Code 1.139.1 as a server, from npm. */
const VERSION = "4.139.1";

/** Large, and not needed to run an extension; nothing that the client asks for. */
const PRUNED = [
  "lib/vscode/node_modules/{@github,@microsoft/mxc-sdk,kerberos}",
  "lib/vscode/node_modules/@vscode/windows-*",
  "lib/vscode/node_modules/node-pty/{third_party,deps}",
  "lib/vscode/extensions/{copilot,mermaid-markdown-features}",
  "**/*.map",
];

/** Installs code-server into the cache, once, without root and without compiling anything; returns its folder. */
export function ensureCodeServer(cacheDir: string, say: (text: string) => void): string {
  const home = join(cacheDir, `code-server-${VERSION}`);
  const root = join(home, "node_modules", "code-server");
  if (existsSync(root)) return root;
  const draft = `${home}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  try {
    say(`installing code-server ${VERSION} into ${cacheDir}`);
    // Without a package of its own npm would install into the project around the cache.
    writeFileSync(join(draft, "package.json"), '{ "private": true }\n');
    npm(draft, ["install", `code-server@${VERSION}`, "--no-save"]);
    // Its own install script would do this, and compile what is not needed here.
    const server = join(draft, "node_modules", "code-server");
    npm(join(server, "lib", "vscode"), ["install", "--omit=dev"]);
    for (const path of PRUNED.flatMap((pattern) => globSync(pattern, { cwd: server })))
      rmSync(join(server, path), { recursive: true, force: true });
    renameSync(draft, home);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return root;
}

function npm(cwd: string, args: readonly string[]): void {
  const quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const ended = spawnSync("npm", [...args, ...quietly], { cwd, encoding: "utf8" });
  if (ended.status !== 0)
    throw new Error(`npm ${args.join(" ")} failed: ${ended.error?.message ?? ended.stderr}`);
}

/** Settings that keep a fresh VS Code quiet and still; tests add their own. */
const QUIET: Readonly<Record<string, unknown>> = {
  "security.workspace.trust.enabled": false,
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "chat.disableAIFeatures": true,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "workbench.enableExperiments": false,
  "workbench.reduceMotion": "on",
  "window.autoDetectColorScheme": false,
  "window.autoDetectHighContrast": false,
  "window.commandCenter": false,
  "workbench.layoutControl.enabled": false,
  "workbench.editor.enablePreview": false,
  "workbench.quickOpen.closeOnFocusLost": false,
  "workbench.commandPalette.history": 0,
  "git.enabled": false,
  "npm.autoDetect": "off",
  "typescript.disableAutomaticTypeAcquisition": true,
  "files.hotExit": "off",
  "remote.autoForwardPorts": false,
  "remote.restoreForwardedPorts": false,
  "workbench.colorTheme": "Dark Modern",
};

export interface ServerOptions {
  /** The folder of code-server. */
  readonly root: string;
  readonly vsix: string;
  /** Everything that the server writes; also the home directory of all its processes. */
  readonly home: string;
  /** Its environment and nothing else. */
  readonly env: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface CodeServer {
  readonly url: string;
  /** SIGTERM to it and its children, SIGKILL after five seconds. */
  stop(): Promise<void>;
}

const STOP_MS = 5000;

/** Installs the package and starts the server on a free port; throws with its output when it does not come up. */
export async function startCodeServer(options: ServerOptions): Promise<CodeServer> {
  const { root, home, env } = options;
  const userData = join(home, "user-data");
  mkdirSync(join(userData, "User"), { recursive: true });
  await writeFile(join(home, "config.yaml"), "auth: none\n");
  await writeFile(
    join(userData, "User", "settings.json"),
    JSON.stringify({ ...QUIET, ...options.settings }),
  );
  const entry = join(root, "out", "node", "entry.js");
  const common = ["--config", join(home, "config.yaml"), "--user-data-dir", userData];
  const folders = [...common, "--extensions-dir", join(home, "extensions")];
  const installed = spawnSync(
    process.execPath,
    [entry, ...folders, "--install-extension", options.vsix, "--force"],
    { env, encoding: "utf8" },
  );
  if (!installed.stdout.includes("was successfully installed"))
    throw new Error(`the package was not installed: ${installed.stdout}${installed.stderr}`);
  const port = await freePort();
  const flags = [
    ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--disable-telemetry"],
    ...["--disable-update-check", "--disable-workspace-trust", "--disable-proxy"],
    ...["--disable-getting-started-override", "--ignore-last-opened"],
  ];
  const log = join(home, "code-server.log");
  const output = openSync(log, "a");
  // A group of its own: its children go with it.
  const child = spawn(process.execPath, [entry, ...folders, ...flags], {
    env,
    detached: true,
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  const url = `http://127.0.0.1:${port}`;
  const signal = (name: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // Ignored: the group is gone.
    }
  };
  const onExit = (): void => signal("SIGKILL");
  process.on("exit", onExit);
  const stop = async (): Promise<void> => {
    signal("SIGTERM");
    const late = setTimeout(() => signal("SIGKILL"), STOP_MS);
    await until(() => child.exitCode !== null || child.signalCode !== null);
    clearTimeout(late);
    signal("SIGKILL");
    process.off("exit", onExit);
  };
  try {
    // Ignored: nobody listens yet.
    await until(() =>
      fetch(`${url}/healthz`)
        .then(({ ok }) => ok)
        .catch(() => false),
    );
  } catch (error) {
    await stop();
    throw new Error(`code-server did not come up: ${readFileSync(log, "utf8")}`, { cause: error });
  }
  return { url, stop };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}

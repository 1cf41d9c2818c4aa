import { fileURLToPath } from "node:url";
import { isBundleFresh } from "../bundle.mjs";

/**
 * Every file that Node is started with, or that a thread or `import "msg-sys"` begins with. The keys are the names in the
 * bundle, `dist/<name>.mjs`; the values are the sources, from this folder.
 */
export const ENTRIES = {
  cli: "cli/main.ts",
  daemon: "main.ts",
  worker: "worker/main.ts",
  "lease-thread": "worker/lease-thread.ts",
  "audit-thread": "audit/thread.ts",
  "audit-reader-thread": "audit/reader-thread.ts",
  "config-settings-child": "config-settings-child.ts",
  sdk: "sdk.ts",
} as const;

/** Files that are read while the program runs; they lie in the bundle under the same paths as in this folder. */
export const ASSETS = [
  "db/migrations/",
  "pipelines/cls/checkout-shim.py",
  "pipelines/cls/rules.yaml",
] as const;

/** This code runs from the bundle, not from its sources. Either way a process starts others of its own kind. */
const BUNDLED = import.meta.url.endsWith(".mjs");

/** The folder of the package, which holds this folder as well as the bundle. */
export const PACKAGE_ROOT = fileURLToPath(new URL("../", import.meta.url));

/** Holds the nats-server of a package that was made for one platform; a checkout has no such folder. */
export const BUNDLED_SERVER_DIR = fileURLToPath(new URL("../bin/", import.meta.url));

/** The SDK's source, which carries the types. */
export const SDK_SOURCE = new URL(`../daemon/${ENTRIES.sdk}`, import.meta.url);

/** Where an entry lies. */
export function entryUrl(name: keyof typeof ENTRIES): URL {
  return new URL(BUNDLED ? `./${name}.mjs` : `./${ENTRIES[name]}`, import.meta.url);
}

/**
 * Where the program of a thread lies. Also from sources the bundle is taken while it fits them: Node strips types by
 * WebAssembly, and V8 ends the process now and then when several threads of one process do that
 * ("Check failed: jit_page_->allocations_.erase", once in 300 starts).
 */
export function threadUrl(name: keyof typeof ENTRIES): URL {
  if (BUNDLED || !isBundleFresh()) return entryUrl(name);
  return new URL(`../dist/${name}.mjs`, import.meta.url);
}

/** Where a file that is read while the program runs lies; a folder's address ends in `/`. */
export function assetUrl(path: (typeof ASSETS)[number]): URL {
  return new URL(path, import.meta.url);
}

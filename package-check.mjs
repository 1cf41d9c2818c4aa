/** What a VS Code package must be, found out from the written file alone: nothing of it is run. */
import * as fs from "node:fs";
import { homedir } from "node:os";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import yauzl from "yauzl";
import { ROOT } from "./bundle.mjs";

/** `prebuild`: the name that better-sqlite3 gives the platform. `program`: the format of its machine code. */
export const TARGETS = {
  "linux-x64": { prebuild: "linux-x64", program: "elf-x64-glibc", server: "nats-server" },
  "linux-arm64": { prebuild: "linux-arm64", program: "elf-arm64-glibc", server: "nats-server" },
  "alpine-x64": { prebuild: "linuxmusl-x64", program: "elf-x64-musl", server: "nats-server" },
  "alpine-arm64": { prebuild: "linuxmusl-arm64", program: "elf-arm64-musl", server: "nats-server" },
  "darwin-x64": { prebuild: "darwin-x64", program: "macho-x64", server: "nats-server" },
  "darwin-arm64": { prebuild: "darwin-arm64", program: "macho-arm64", server: "nats-server" },
  "win32-x64": { prebuild: "win32-x64", program: "pe-x64", server: "nats-server.exe" },
  "win32-arm64": { prebuild: "win32-arm64", program: "pe-arm64", server: "nats-server.exe" },
};

/** Limits in bytes; those of bundles hold for their gzipped size. */
export const LIMITS = {
  package: 4 * 1024 * 1024,
  // More than half of it is the NATS client with its keys, and zod.
  "dist/extension.cjs": 160 * 1024,
  "dist/webview/main.js": 110 * 1024,
  "dist/webview/main.css": 8 * 1024,
};

/** Every file of a package is one of these. */
const ALLOWED = [
  /^(package\.json|package\.nls(\.[a-z-]+)?\.json|readme\.md|changelog\.md|LICENSE\.txt|THIRD-PARTY-NOTICES\.txt)$/,
  /^bin\/nats-server(\.exe)?$/,
  /^dist\/[\w-]+\.mjs$/,
  /^dist\/extension\.cjs$/,
  /^dist\/webview\/main\.(js|css)$/,
  /^dist\/db\/migrations\/[\w-]+\.sql$/,
  /^dist\/pipelines\/cls\/(checkout-shim\.py|rules\.yaml)$/,
  /^dist\/node_modules\/better-sqlite3\/(package\.json|LICENSE|lib\/[\w/-]+\.js|prebuilds\/[\w-]+\.node)$/,
  /^extension\/media\/[\w-]+\.(svg|png)$/,
  /^extension\/l10n\/bundle\.l10n(\.[a-z-]+)?\.json$/,
];

/** Without these nothing works. */
const NEEDED = [
  "package.json",
  "package.nls.json",
  "readme.md",
  "changelog.md",
  "LICENSE.txt",
  "THIRD-PARTY-NOTICES.txt",
  "dist/extension.cjs",
  "dist/daemon.mjs",
  "dist/worker.mjs",
  "dist/sdk.mjs",
  "dist/webview/main.js",
  "dist/webview/main.css",
  "dist/db/migrations/0001-audit.sql",
  "dist/node_modules/better-sqlite3/lib/index.js",
];

const MACHINES = { 62: "x64", 183: "arm64", 34404: "x64", 43620: "arm64" };

/** System, processor and, on Linux, C library of a program or library, read from its head; null: it is none. */
export function programFormat(bytes) {
  if (bytes.subarray(0, 4).equals(Buffer.from("\x7fELF", "latin1"))) {
    // Its loader, or the library that it needs, stands in it by name.
    const libc = bytes.includes("musl") ? "musl" : bytes.includes("libc.so.6") ? "glibc" : "any";
    return `elf-${MACHINES[bytes.readUInt16LE(18)]}-${libc}`;
  }
  if (bytes.readUInt32LE(0) === 0xfeedfacf)
    return `macho-${{ 16777223: "x64", 16777228: "arm64" }[bytes.readUInt32LE(4)]}`;
  if (bytes.toString("latin1", 0, 2) !== "MZ") return null;
  return `pe-${MACHINES[bytes.readUInt16LE(bytes.readUInt32LE(0x3c) + 4)]}`;
}

/** The files of a package as they stand in it: path → content, size in it, and mode. */
export async function readPackage(path) {
  const zip = await promisify(yauzl.open)(path, { autoClose: false, lazyEntries: true });
  const openStream = promisify(zip.openReadStream).bind(zip);
  const files = new Map();
  await new Promise((resolve, reject) => {
    zip.on("error", reject);
    zip.on("end", resolve);
    zip.on("entry", (entry) => {
      openStream(entry)
        .then(async (stream) => {
          const content = Buffer.concat(await stream.toArray());
          const mode = (entry.externalFileAttributes >>> 16) & 0o777;
          files.set(entry.fileName, { content, packedBytes: entry.compressedSize, mode });
          zip.readEntry();
        })
        .catch(reject);
    });
    zip.readEntry();
  });
  zip.close();
  return files;
}

/** What is wrong with a package, in words, none when it is right; and its sizes in bytes. */
export async function checkPackage(path, name) {
  const all = await readPackage(path);
  const files = new Map(
    [...all]
      .filter(([file]) => file.startsWith("extension/"))
      .map(([file, value]) => [file.slice("extension/".length), value]),
  );
  const problems = [
    ...checkNames([...files.keys()]),
    ...checkPrograms(files, TARGETS[name]),
    ...checkTexts(files),
    ...checkManifest(files, all.get("extension.vsixmanifest")?.content.toString() ?? "", name),
  ];
  const bytes = fs.statSync(path).size;
  const serverBytes = files.get(`bin/${TARGETS[name].server}`)?.packedBytes ?? 0;
  if (bytes - serverBytes > LIMITS.package)
    problems.push(`${bytes - serverBytes} bytes without nats-server, ${LIMITS.package} at most`);
  return { problems, bytes, serverBytes, files: files.size };
}

function checkNames(names) {
  return [
    ...names
      .filter((file) => !ALLOWED.some((pattern) => pattern.test(file)))
      .map((file) => `${file} does not belong into a package`),
    ...NEEDED.filter((file) => !names.includes(file)).map((file) => `${file} is missing`),
  ];
}

/** Machine code is that of the platform, there is one library, and a server can be started. */
function checkPrograms(files, target) {
  const problems = [];
  const code = [...files.keys()].filter((file) => /\.node$|^bin\//.test(file));
  const libraries = code.filter((file) => file.endsWith(".node"));
  if (libraries.length !== 1) problems.push(`${libraries.length} libraries of machine code`);
  for (const file of code) {
    const { content, mode } = files.get(file);
    const format = programFormat(content);
    if (format !== target.program) problems.push(`${file} is ${format}, not ${target.program}`);
    if (file.startsWith("bin/") && (mode & 0o111) === 0) problems.push(`${file} cannot be started`);
  }
  return problems;
}

/** No path of the machine that built it, no map, no code made from texts in the webview; sizes of bundles. */
function checkTexts(files) {
  const problems = [];
  for (const [file, { content }] of files) {
    if (/\.node$|^bin\/|\.png$/.test(file)) continue;
    const text = content.toString();
    for (const path of [ROOT, homedir()])
      if (path.length > 1 && text.includes(`${path}/`)) problems.push(`${file} names ${path}`);
    if (/# sourceMappingURL=(?!data:)/.test(text) && !/^dist\/(sdk|node_modules)/.test(file))
      problems.push(`${file} names a map`);
    if (file.startsWith("dist/webview/") && /\beval\(|new Function\(/.test(text))
      problems.push(`${file} makes code from texts`);
    const gzipped = gzipSync(content, { level: 9 }).length;
    if (gzipped > (LIMITS[file] ?? Number.POSITIVE_INFINITY))
      problems.push(`${file} is ${gzipped} bytes gzipped, ${LIMITS[file]} at most`);
  }
  return problems;
}

/** The manifest fits: platform, every file that it names, every text that it refers to, in every language. */
function checkManifest(files, vsix, name) {
  const problems = [];
  const json = (file) => JSON.parse(files.get(file).content.toString());
  const manifest = json("package.json");
  if (!vsix.includes(`TargetPlatform="${name}"`)) problems.push("it is for another platform");
  const text = JSON.stringify(manifest);
  const named = [...text.matchAll(/"(extension\/media\/[^"]+|\.\/dist\/[^"]+)"/g)];
  for (const [, file] of named)
    if (!files.has(file.replace(/^\.\//, ""))) problems.push(`the manifest names ${file}`);
  const keys = [...text.matchAll(/"%([^%"]+)%"/g)].map(([, key]) => key);
  for (const file of [...files.keys()].filter((entry) => /^package\.nls/.test(entry))) {
    const texts = json(file);
    for (const key of keys) if (!(key in texts)) problems.push(`${file} lacks ${key}`);
  }
  return problems;
}

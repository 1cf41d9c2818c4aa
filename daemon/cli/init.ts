import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PACKAGE_ROOT, SDK_SOURCE } from "../entry.ts";
import type { Context } from "./context.ts";

const CONFIG = `import { defineConfig, defineTask, z } from "msg-sys";

/** Try it: msgsys enqueue etl.hello '{"name":"Ada"}' --wait */
export const hello = defineTask(
  {
    name: "etl.hello",
    input: z.object({ name: z.string() }),
    retry: { retries: 3, delayMs: 1000 },
    timeoutMs: 30_000,
  },
  async ({ name }, context) => {
    context.log.info("greeting", { name });
    context.progress({ done: 1, total: 1, what: "greetings" });
    return { greeting: \`Hello, \${name}!\` };
  },
);

export default defineConfig({ tasks: [hello] });
`;

const TYPES_FOLDER = ".msgsys-types";

const OWN_TSCONFIG = `{
  "extends": "./${TYPES_FOLDER}/tsconfig.json",
  "include": ["msgsys.config.ts"]
}
`;

/** Writes an example configuration and what the editor needs to know its types. Never overwrites a file of the person. */
export async function run(context: Context): Promise<number> {
  const { cwd } = context.io;
  const made: string[] = [];
  const kept: string[] = [];
  const place = async (name: string, text: string): Promise<void> => {
    const path = join(cwd, name);
    if (existsSync(path)) {
      kept.push(name);
      return;
    }
    await writeFile(path, text);
    made.push(name);
  };
  await place("msgsys.config.ts", CONFIG);
  // It names folders of this machine, so it is made anew each time and kept out of version control.
  await mkdir(join(cwd, TYPES_FOLDER), { recursive: true });
  await writeFile(join(cwd, TYPES_FOLDER, ".gitignore"), "*\n");
  await writeFile(join(cwd, TYPES_FOLDER, "tsconfig.json"), typesConfig());
  await place("tsconfig.json", OWN_TSCONFIG);
  context.result({ made, kept }, () =>
    [
      ...made.map((name) => `${name} written.`),
      ...kept.map((name) => `${name} was there already and stays as it is.`),
    ].join("\n"),
  );
  if (!readFileSync(join(cwd, "tsconfig.json"), "utf8").includes(TYPES_FOLDER))
    context.hint(
      `For the types add "extends": "./${TYPES_FOLDER}/tsconfig.json" to tsconfig.json.`,
    );
  context.hint(
    '`msgsys up` starts the daemon with it; `msgsys enqueue etl.hello \'{"name":"Ada"}\' --wait` runs the example.',
  );
  return 0;
}

/** Points "msg-sys" at the installed SDK, whose sources carry their types; options as those sources need them. */
function typesConfig(): string {
  const sdk = fileURLToPath(SDK_SOURCE);
  const modules = join(PACKAGE_ROOT, "node_modules");
  return `${JSON.stringify(
    {
      compilerOptions: {
        target: "es2024",
        lib: ["es2024"],
        module: "nodenext",
        moduleResolution: "nodenext",
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        allowImportingTsExtensions: true,
        exactOptionalPropertyTypes: true,
        types: ["node"],
        typeRoots: [join(modules, "@types")],
        paths: { "msg-sys": [sdk] },
      },
    },
    null,
    2,
  )}\n`;
}

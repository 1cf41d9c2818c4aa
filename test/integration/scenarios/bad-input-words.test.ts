import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cliHere } from "../../support/cli.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { tempDir } from "../../support/temp-dir.ts";

const INPUT = '{"file":"/dev/null"}';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon({
    set: { "workers.pools": '{"only":{"queues":["test"],"slots":4}}' },
  });
});

afterAll(() => daemon?.close());

/** What a person reads who runs this: exit code and the lines of standard error. */
async function said(...argv: string[]): Promise<{ code: number; lines: string[] }> {
  const { code, err } = await cliHere(["--data", daemon.dataDir, ...argv]);
  return { code, lines: err.trimEnd().split("\n") };
}

describe("a refused command line names the rule in words, once", () => {
  test.each([
    [["enqueue", "test.work", INPUT, "--id", "a.b"], /valid at id: an id has 1 to 120 letters/],
    [["enqueue", "test.work", INPUT, "--queue", "A.b"], /A\.b is no queue name: lower-case/],
    [["enqueue", "test.work", INPUT, "--delay", "99999999999d"], /at runAt: the year 9999/],
    [["user", "add", "gr ace", "--role", "Viewer"], /at name: a name has 1 to 32 lower-case/],
    [["list", "--cursor", "zzz"], /^Error: zzz is no cursor/],
    [["statsu"], /^Error: Unknown command 'statsu'\. Did you mean status\?$/],
    [["list", "--statsu", "dead"], /^Error: Unknown option '--statsu'\. Did you mean --status\?$/],
  ])("%j", async (argv, words) => {
    const { code, lines } = await said(...argv);
    expect([code, lines]).toEqual([2, [expect.stringMatching(words), "Run `msgsys --help`."]]);
  });

  test("a credentials file: whether it is missing or holds no key", async () => {
    const broken = join(tempDir(), "broken.nk");
    writeFileSync(broken, "SUABC");
    expect((await said("--creds", broken, "list")).lines[0]).toMatch(/: it holds no seed\.$/);
    expect((await said("--creds", "/no/file.nk", "list")).lines[0]).toMatch(/: it is not there\.$/);
  });

  test("the audit's and the logs' question about a task that is not there", async () => {
    expect(await said("audit", "task", "none")).toMatchObject({ code: 6 });
    const { lines } = await said("logs", "none");
    expect(lines).toEqual([expect.stringMatching(/^No line of the logs in .* is about none\.$/)]);
  });
});

test("a backup that cannot be written names its file, and the tasks are all there", async () => {
  const { id } = await daemon.client.enqueue("test.work", JSON.parse(INPUT));
  const { code, lines } = await said("backup", "/no/folder/backup.db");
  expect(code).toBe(1);
  expect(lines[0]).toMatch(/^Error: The backup \/no\/folder\/backup\.db was not written: /);
  expect((await daemon.client.get(id)).id).toBe(id);
});

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GUIDANCE } from "../../../shared/connection.ts";
import { readSources } from "../../support/sources.ts";

const BUNDLE = new URL("../../../extension/l10n/bundle.l10n.pt-br.json", import.meta.url);
const bundle = JSON.parse(readFileSync(BUNDLE, "utf8")) as Record<string, string>;
const places = (text: string): string[] => (text.match(/\{\d\}/g) ?? []).sort();

test("what the core of the extension and its guidance say is there in Brazilian Portuguese", () => {
  const core = readSources("extension").filter(({ path }) => /^extension\/[^/]+\.ts$/.test(path));
  const said = core.flatMap(({ text }) =>
    [...text.matchAll(/(?:l10n\.t|\bt)\(\s*("(?:[^"\\]|\\.)*")/g)].map(
      ([, literal]) => JSON.parse(literal!) as string,
    ),
  );
  const guidance = Object.values(GUIDANCE).flatMap(({ what, why }) => [what, why]);
  expect(said.length).toBeGreaterThan(60);
  expect([...new Set([...said, ...guidance])].filter((text) => !bundle[text])).toEqual([]);
});

test("a translation has the places of its English text, each once", () => {
  expect(
    Object.entries(bundle).filter(
      ([text, translated]) => places(text).join() !== places(translated).join(),
    ),
  ).toEqual([]);
});

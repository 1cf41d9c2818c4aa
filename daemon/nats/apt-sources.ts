/** One place that apt takes packages from, as its sources files describe it. */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly components: readonly string[];
  /** As written: a keyring's path, fingerprints, or a whole key over several lines; "" when apt's common keyring decides. */
  readonly signedBy: string;
  /** As written ("no" for mirrors of a past day); "" when not said. */
  readonly checkValidUntil: string;
}

/** A file of apt's sources; its name decides the format. */
export interface AptSourcesFile {
  readonly name: string;
  readonly text: string;
}

/** The enabled binary sources of a `.sources` file (stanzas of fields) or a `.list` file (one line each). */
export function parseAptSources(file: AptSourcesFile): AptSource[] {
  return file.name.endsWith(".sources") ? parseStanzas(file.text) : parseLines(file.text);
}

function parseStanzas(text: string): AptSource[] {
  const lines = text.split(/\r?\n/).filter((line) => !line.startsWith("#"));
  const stanzas = lines.join("\n").split(/\n[ \t]*\n/);
  return stanzas.flatMap((stanza) => {
    const fields = stanzaFields(stanza);
    const words = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter((w) => w !== "");
    if (!words("types").includes("deb") || isNo(fields.get("enabled"))) return [];
    return {
      uris: words("uris"),
      suites: words("suites"),
      components: words("components"),
      signedBy: fields.get("signed-by") ?? "",
      checkValidUntil: fields.get("check-valid-until") ?? "",
    };
  });
}

/** Field names are in lower case; the lines of a value keep their breaks, because a whole key may stand in one. */
function stanzaFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let last = "";
  for (const line of stanza.split("\n")) {
    const match = /^([^\s:]+):[ \t]*(.*)$/.exec(line);
    if (match !== null) {
      last = (match[1] ?? "").toLowerCase();
      fields.set(last, (match[2] ?? "").trim());
    } else if (last !== "" && line.trim() !== "") {
      fields.set(last, `${fields.get(last) ?? ""}\n ${line.trim()}`);
    }
  }
  return fields;
}

function parseLines(text: string): AptSource[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)([^#]*)/.exec(line);
    if (match === null) return [];
    const [, optionText = "", uri = "", suite = "", components = ""] = match;
    const options = new Map(
      optionText.split(/\s+/).map((option) => {
        const [name = "", value = ""] = option.split("=", 2);
        return [name.toLowerCase(), value.replaceAll(",", " ")] as const;
      }),
    );
    return {
      uris: [uri],
      suites: [suite],
      components: components.split(/\s+/).filter((word) => word !== ""),
      signedBy: options.get("signed-by") ?? "",
      checkValidUntil: options.get("check-valid-until") ?? "",
    };
  });
}

function isNo(value: string | undefined): boolean {
  return value !== undefined && /^(no|false|off|without|disable|0)$/i.test(value);
}

/**
 * Of all sources those that are Debian's own archive or a mirror of it, without security and other side suites.
 * Other publishers use Debian's suite names too, so the key decides: Debian's keyring, or none named and a path `/debian`.
 */
export function debianMirrors(sources: readonly AptSource[]): AptSource[] {
  const mirrors = sources.flatMap((source) => {
    const uris = source.uris.filter((uri) => isMirror(uri, source.signedBy));
    const mainSuite = source.suites.some((suite) => /^[a-z]+$/.test(suite));
    return uris.length > 0 && mainSuite && source.components.includes("main")
      ? [{ ...source, uris }]
      : [];
  });
  const seen = new Set<string>();
  return mirrors.filter((mirror) => {
    const key = JSON.stringify([mirror.uris, mirror.signedBy]);
    return seen.size < seen.add(key).size;
  });
}

function isMirror(uri: string, signedBy: string): boolean {
  if (uri.startsWith("cdrom:") || /debian-security/.test(uri)) return false;
  if (/debian-archive/.test(signedBy)) return true;
  const namesKeyring = signedBy.startsWith("/");
  return !namesKeyring && /[/.]debian(\/|\.|$)/.test(uri);
}

/**
 * A `.sources` file for another suite of the same mirrors: same addresses, same key, only the suite changed, and of
 * all indexes only that of the packages. Never `Trusted`: a mirror without a good signature is refused.
 */
export function sourcesForSuite(
  mirrors: readonly AptSource[],
  suite: string,
  architecture: string,
): string {
  const stanzas = mirrors.map((mirror) =>
    [
      "Types: deb",
      `URIs: ${mirror.uris.join(" ")}`,
      `Suites: ${suite}`,
      "Components: main",
      `Architectures: ${architecture}`,
      "Targets: Packages",
      ...(mirror.signedBy === "" ? [] : [`Signed-By: ${mirror.signedBy}`]),
      ...(mirror.checkValidUntil === "" ? [] : [`Check-Valid-Until: ${mirror.checkValidUntil}`]),
    ].join("\n"),
  );
  return `${stanzas.join("\n\n")}\n`;
}

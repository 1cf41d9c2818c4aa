import { describe, expect, test } from "vitest";
import {
  debianMirrors,
  parseAptSources,
  sourcesForSuite,
} from "../../../../daemon/nats/apt-sources.ts";

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

const STANZAS = `# modern form
Types: deb deb-src
# a mirror of a past day
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: ${KEYRING}
Check-Valid-Until: no

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: ${KEYRING}

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;

function mirrorsOf(name: string, text: string) {
  return debianMirrors(parseAptSources({ name, text }));
}

describe("apt's sources", () => {
  test("in stanzas give the enabled archive with its key, without security suites", () => {
    expect(mirrorsOf("debian.sources", STANZAS)).toEqual([
      {
        uris: ["http://mirror.example/debian"],
        suites: ["bookworm", "bookworm-updates"],
        components: ["main", "contrib"],
        signedBy: KEYRING,
        checkValidUntil: "no",
      },
    ]);
  });

  test("in lines give the archive with and without options, and skip comments", () => {
    const text = [
      "# deb http://commented.example/debian bookworm main",
      "deb-src http://source.example/debian bookworm main",
      `deb [arch=amd64 signed-by=${KEYRING}] http://one.example/mirror bookworm main # ours`,
      "deb http://two.example/debian/ trixie main contrib non-free",
      "deb http://two.example/debian/ trixie-updates main",
    ].join("\n");
    expect(mirrorsOf("sources.list", text)).toMatchObject([
      { uris: ["http://one.example/mirror"], signedBy: KEYRING },
      { uris: ["http://two.example/debian/"], signedBy: "", suites: ["trixie"] },
    ]);
  });

  test.each([
    "deb [signed-by=/usr/share/keyrings/vendor.gpg] https://vendor.example/debian bookworm main",
    "deb http://archive.ubuntu.com/ubuntu noble main universe",
    "deb https://vendor.example/apt bookworm main",
    "deb http://mirror.example/debian bookworm contrib",
    "deb cdrom:[Debian]/debian bookworm main",
  ])("of another publisher are passed over: %s", (line) => {
    expect(mirrorsOf("other.list", line)).toEqual([]);
  });

  test("that name the same mirror twice count once", () => {
    const line = "deb http://mirror.example/debian bookworm main\n";
    expect(mirrorsOf("twice.list", line + line)).toHaveLength(1);
  });

  test("for another suite keep address and key and drop trust without a signature", () => {
    const text = `Trusted: yes\n${STANZAS}`;
    expect(sourcesForSuite(mirrorsOf("debian.sources", text), "forky", "amd64")).toBe(
      [
        "Types: deb",
        "URIs: http://mirror.example/debian",
        "Suites: forky",
        "Components: main",
        "Architectures: amd64",
        "Targets: Packages",
        `Signed-By: ${KEYRING}`,
        "Check-Valid-Until: no",
        "",
      ].join("\n"),
    );
  });

  test("keep a key that is written into the stanza", () => {
    const key = ["Signed-By:", " -----BEGIN PGP PUBLIC KEY BLOCK-----", " .", " mQINBGX=", ""];
    const text = `Types: deb\nURIs: http://m.example/debian\nSuites: sid\nComponents: main\n${key.join("\n")}`;
    const again = sourcesForSuite(mirrorsOf("key.sources", text), "forky", "arm64");
    expect(again).toContain("\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mQINBGX=\n");
  });
});

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runClassify } from "../../../../../daemon/pipelines/cls/classify.ts";
import { runExport } from "../../../../../daemon/pipelines/cls/export.ts";
import { runIntegrate } from "../../../../../daemon/pipelines/cls/integrate.ts";
import {
  type CLSPipelineResult,
  type ClsParamsInput,
  clsParams,
} from "../../../../../daemon/pipelines/cls/params.ts";
import { runSync } from "../../../../../daemon/pipelines/cls/sync.ts";
import { openTable } from "../../../../../daemon/pipelines/cls/table-reader.ts";
import { readWorkbook } from "../../../../../daemon/pipelines/cls/workbook-reader.ts";
import {
  aClsContext,
  aDailyRow,
  aReportRow,
  type Cells,
  FULL_REPORT,
  writeClsRoot,
} from "../../../../support/cls-root.ts";

/** One rule: the stored rows it needs, and the daily row that meets it. `item` is what the daily row asks for. */
interface Case {
  readonly report: readonly Cells[];
  readonly daily: Cells;
}

const MIRROR = { "Corp Acct": "0204", "Contract EFF Date": "2024-01-01" };
const NO_DATES = { "Contract EFF Date": null, "Contract EXP Date": null };

const CASES = {
  matched: {
    report: [aReportRow("1001")],
    daily: aDailyRow("1001", { "Date and Time Stamp": "11/19/2025 23:59" }),
  },
  unknown: {
    report: [],
    daily: aDailyRow("1002", { "Date and Time Stamp": "2025-11-21 00:00:00" }),
  },
  blankNumbers: {
    report: [aReportRow("1003", { "Vendor Catalogue": " ", "Manufacturer Catalogue": null })],
    daily: aDailyRow("x", { "Distributor Part Number": "  ", "Manufacturer Part Number": null }),
  },
  outerBlanks: {
    report: [aReportRow("1004", { "Vendor Catalogue": "VC-1004  ", "Vendor Code": " V1 " })],
    daily: aDailyRow("x", {
      "Distributor Part Number": " VC-1004 ",
      Distributor: "V1 ",
      "Plant ID": " 0199",
    }),
  },
  onlyAlike: {
    report: [aReportRow("1005", { "Vendor Catalogue": "00vc 1005" })],
    daily: aDailyRow("1005"),
  },
  alikeBesides: {
    report: [aReportRow("1006", { "Vendor Catalogue": "vc1006" })],
    daily: aDailyRow("1006", { "Manufacturer Part Number": "MC-1006" }),
  },
  byManufacturer: {
    report: [aReportRow("1007")],
    daily: aDailyRow("x", {
      "Distributor Part Number": "none",
      "Manufacturer Part Number": "MC-1007",
    }),
  },
  byBoth: {
    report: [aReportRow("1008")],
    daily: aDailyRow("1008", { "Manufacturer Part Number": "MC-1008" }),
  },
  twoItems: {
    report: [aReportRow("1009"), aReportRow("1010")],
    daily: aDailyRow("1009", { "Manufacturer Part Number": "MC-1010", Distributor: "V1" }),
  },
  sharedCatalogue: {
    report: [
      aReportRow("1011", { "Vendor Catalogue": "SHARED", "Vendor Code": "V2" }),
      aReportRow("1012", { "Vendor Catalogue": "SHARED" }),
    ],
    daily: aDailyRow("x", { "Distributor Part Number": "SHARED" }),
  },
  excludedVendor: {
    report: [aReportRow("1013", { "Vendor Name": "ZZZ Closed" })],
    daily: aDailyRow("1013"),
  },
  excludedItem: { report: [aReportRow("PM1014")], daily: aDailyRow("PM1014") },
  mirror02: {
    // The mirror row stands before the row it mirrors.
    report: [aReportRow("1015", MIRROR), aReportRow("1015", { "Corp Acct": "0201" })],
    daily: aDailyRow("1015", { "Plant ID": "0207" }),
  },
  mirror05: {
    report: [
      aReportRow("1016", { "Corp Acct": "0501" }),
      aReportRow("1016", { ...MIRROR, "Corp Acct": "0504" }),
    ],
    daily: aDailyRow("1016", { "Plant ID": "0501" }),
  },
  mirrorOtherCatalogue: {
    report: [
      aReportRow("1017", { "Corp Acct": "0201" }),
      aReportRow("1017", { ...MIRROR, "Vendor Catalogue": "OTHER-1017" }),
    ],
    daily: aDailyRow("1017", { "Plant ID": "0201" }),
  },
  mirrorOtherItem: {
    report: [
      aReportRow("1018", { "Corp Acct": "0201", "Vendor Catalogue": "VC-MIRROR" }),
      aReportRow("1019", { ...MIRROR, "Vendor Catalogue": "VC-MIRROR" }),
    ],
    daily: aDailyRow("x", { "Plant ID": "0201", "Distributor Part Number": "VC-MIRROR" }),
  },
  mirrorOfExcluded: {
    report: [
      aReportRow("1020", { "Corp Acct": "0201", "Vendor Name": "ZZZ Closed", "Vendor Code": "V9" }),
      aReportRow("1020", MIRROR),
    ],
    daily: aDailyRow("1020", { "Plant ID": "0201" }),
  },
  mirrorOtherPair: {
    report: [
      aReportRow("1021", { "Corp Acct": "0201" }),
      aReportRow("1021", { ...MIRROR, "Corp Acct": "0504" }),
    ],
    daily: aDailyRow("1021", { "Plant ID": "0501" }),
  },
  otherSite: { report: [aReportRow("1022", { "Corp Acct": "0301" })], daily: aDailyRow("1022") },
  otherAccountOfSite: {
    report: [aReportRow("1023", { "Corp Acct": "0105" })],
    daily: aDailyRow("1023"),
  },
  otherVendor: { report: [aReportRow("1024", { "Vendor Code": "V2" })], daily: aDailyRow("1024") },
  blankPlant: { report: [aReportRow("1025")], daily: aDailyRow("1025", { "Plant ID": " " }) },
  blankDistributor: {
    report: [aReportRow("1026", { "Vendor Code": null })],
    daily: aDailyRow("1026", { Distributor: null }),
  },
  newContract: { report: [aReportRow("1027", NO_DATES)], daily: aDailyRow("1027") },
  startDiffers: {
    report: [aReportRow("1028", { "Contract EFF Date": "2025-01-02" })],
    daily: aDailyRow("1028"),
  },
  endDiffers: {
    report: [aReportRow("1029", { "Contract EXP Date": "2026-12-31" })],
    daily: aDailyRow("1029"),
  },
  bothDiffer: {
    report: [
      aReportRow("1030", { "Contract EFF Date": "2024-01-01", "Contract EXP Date": "2026-12-31" }),
    ],
    daily: aDailyRow("1030"),
  },
  baselineDateBlank: {
    report: [aReportRow("1031", { "Contract EFF Date": null })],
    daily: aDailyRow("1031"),
  },
  baselineDateInvalid: {
    report: [aReportRow("1032", { "Contract EFF Date": "soon", "Contract EXP Date": "later" })],
    daily: aDailyRow("1032"),
  },
  dailyDateBlank: {
    report: [aReportRow("1033")],
    daily: aDailyRow("1033", { "Contract End Date": null }),
  },
  dateWritings: {
    report: [
      aReportRow("1034", {
        "Contract EFF Date": "1/01/2025",
        "Contract EXP Date": "2025-12-31 00:00:00",
      }),
    ],
    daily: aDailyRow("1034", {
      "Contract Start Date": "2025-Jan-01",
      "Contract End Date": "12/31/2025",
    }),
  },
  sameWordTwice: {
    report: [
      aReportRow("1035", { "Contract EFF Date": "2024-01-01", "Corp Acct": "0101" }),
      aReportRow("1035", { "Contract EFF Date": "2024-02-01", "Corp Acct": "0102" }),
    ],
    daily: aDailyRow("1035"),
  },
  oneOfTwoMatched: {
    report: [
      aReportRow("1036", { "Contract EXP Date": "2024-01-01", "Corp Acct": "0101" }),
      aReportRow("1036", { "Corp Acct": "0102" }),
    ],
    daily: aDailyRow("1036"),
  },
  otherContract: {
    report: [aReportRow("1037", { "Contract No": "C2" })],
    daily: aDailyRow("1037"),
  },
  unknownUnit: {
    report: [aReportRow("1038")],
    daily: aDailyRow("1038", { "Purchase Order Price Unit of Measure": "PK" }),
  },
  thirdUnitLargest: {
    report: [aReportRow("1039")],
    daily: aDailyRow("1039", {
      AUOM3: "PL",
      "AUOM3 QTY": "1,200",
      "Purchase UOM Price": "1.00005",
    }),
  },
  mapped: {
    report: [aReportRow("1040")],
    daily: aDailyRow("1040", { "MMC Distributor No.": " BV2 ", "ERP Manufacturer No.": "BM2" }),
  },
  unmapped: {
    report: [aReportRow("1041")],
    daily: aDailyRow("1041", { "MMC Distributor No.": "BV9", "ERP Manufacturer No.": null }),
  },
  formula: {
    report: [aReportRow("1042", { "Item Description": "=HYPERLINK(1)", "Vendor Name": "@x" })],
    daily: aDailyRow("1042", {
      "Business Central Contract Number": "+1",
      "Local Contract Number": "-C",
    }),
  },
  vendorSequence: {
    report: [
      aReportRow("1043", { "Vendor Seq": "10", "Vendor Code": "V3" }),
      aReportRow("1043", { "Vendor Seq": "2", "Vendor Code": "V1" }),
      aReportRow("1043", { "Vendor Seq": null, "Vendor Code": "V2" }),
      aReportRow("1043", { "Vendor Seq": "1", "Vendor Code": "V4", "Corp Acct": "0301" }),
    ],
    daily: aDailyRow("1043"),
  },
  laterExcludedAccount: {
    report: [aReportRow("1044", { "Corp Acct": "0109" })],
    daily: aDailyRow("1044"),
  },
} satisfies Record<string, Case>;
type CaseName = keyof typeof CASES;
const NAMES = Object.keys(CASES) as CaseName[];
/** Where the second daily file begins: a name that sorts first must not stand first in the folder listing. */
const SPLIT = 20;

/** Named by the first and last day of the stamps. */
const WORKBOOK = "ExportFile_2025-11-19~2025-11-21.xlsx";

interface Exported {
  readonly index: number;
  readonly sourceFile: string;
  readonly candidate: string | null;
  readonly preferred: boolean;
  readonly score: number;
  readonly source: string | null;
  readonly contractChecks: readonly string[];
  readonly highestUomPrice: number | null;
  readonly suggestedVendor: string | null;
  readonly suggestedManufacturer: string | null;
  readonly bucket: string;
  readonly ruleId: string;
  readonly evidence: readonly Readonly<Record<string, unknown>>[];
}

/** Runs all four phases on a folder made of the cases. */
async function runAll(
  work: string,
  given: Partial<ClsParamsInput> = {},
): Promise<{ integrated: CLSPipelineResult; rows: Exported[]; out: string }> {
  const root = join(work, "root");
  const daily = NAMES.map((name) => CASES[name].daily);
  await writeClsRoot(root, {
    reports: { [FULL_REPORT]: NAMES.flatMap((name) => CASES[name].report) },
    daily: { "b.xlsx": daily.slice(SPLIT), "a.xlsx": daily.slice(0, SPLIT) },
    vendors: [
      ["BV1", "AV1"],
      ["BV2", " AV2"],
    ],
    manufacturers: [["BM2", "AM2"]],
  });
  const out = join(work, "out");
  const stored = clsParams.parse({ root });
  const params = clsParams.parse({ root, out, ...given });
  const ctx = aClsContext(join(work, "data"));
  await runSync(stored, ctx);
  const integrated = await runIntegrate(params, ctx);
  await runClassify(params, ctx);
  await runExport(params, ctx);
  const text = await readFile(join(out, "rows.ndjson"), "utf8");
  const rows = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Exported);
  return { integrated, rows, out };
}

describe("the rules of integrate and classify", () => {
  let work: string;
  let rows: Exported[];
  let integrated: CLSPipelineResult;
  let out: string;
  const of = (name: CaseName): Exported[] =>
    rows.filter(({ index }) => index === NAMES.indexOf(name) + 1);
  const decision = (name: CaseName) =>
    of(name).map(({ candidate, contractChecks, bucket }) => [candidate, contractChecks, bucket]);
  const accounts = (name: CaseName) => of(name)[0]?.evidence.map((row) => row["corpAcct"]);

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), "cls-rules-"));
    ({ rows, integrated, out } = await runAll(work));
  });
  afterAll(() => rm(work, { recursive: true, force: true }));

  test("number the daily rows over all files in name order and keep their file", () => {
    expect(new Set(rows.map(({ index }) => index)).size).toBe(NAMES.length);
    expect(of("matched")[0]).toMatchObject({ index: 1, sourceFile: "a.xlsx" });
    expect(rows.find(({ index }) => index === SPLIT + 1)?.sourceFile).toBe("b.xlsx");
    expect(integrated.rowsIn).toBe(NAMES.length);
  });

  test.each<[string, CaseName, (string | null)[], string[], string]>([
    ["an item with matching dates goes to update", "matched", ["1001"], ["Date Matched"], "update"],
    ["a number that nobody has goes to create", "unknown", [null], [], "create"],
    ["blank part numbers match nothing", "blankNumbers", [null], [], "create"],
    ["outer blanks of cells do not count", "outerBlanks", ["1004"], ["Date Matched"], "update"],
    ["a number that is only alike makes no candidate", "onlyAlike", [null], [], "create"],
    ["vendors with an excluded prefix are not looked up", "excludedVendor", [null], [], "create"],
    ["items with an excluded prefix are not looked up", "excludedItem", [null], [], "create"],
    [
      "an item of another site only goes to vendor_link",
      "otherSite",
      ["1022"],
      ["New Contract"],
      "vendor_link",
    ],
    ["any account of the site counts", "otherAccountOfSite", ["1023"], ["Date Matched"], "update"],
    [
      "an item of another vendor only goes to vendor_link",
      "otherVendor",
      ["1024"],
      ["New Contract"],
      "vendor_link",
    ],
    ["a blank plant is no site", "blankPlant", ["1025"], ["New Contract"], "vendor_link"],
    [
      "a blank distributor is no vendor",
      "blankDistributor",
      ["1026"],
      ["New Contract"],
      "vendor_link",
    ],
    [
      "a baseline without dates is a new contract",
      "newContract",
      ["1027"],
      ["New Contract"],
      "contract_link",
    ],
    [
      "another start goes to contract_link",
      "startDiffers",
      ["1028"],
      ["Start Date not Match"],
      "contract_link",
    ],
    [
      "another end goes to contract_link",
      "endDiffers",
      ["1029"],
      ["End Date not Match"],
      "contract_link",
    ],
    [
      "two other dates go to contract_link",
      "bothDiffer",
      ["1030"],
      ["Start & End Date not Match"],
      "contract_link",
    ],
    [
      "one blank baseline date is an exception",
      "baselineDateBlank",
      ["1031"],
      ["Exception"],
      "contract_link",
    ],
    [
      "baseline dates that do not parse are an exception",
      "baselineDateInvalid",
      ["1032"],
      ["Exception"],
      "contract_link",
    ],
    [
      "a blank daily date is an exception",
      "dailyDateBlank",
      ["1033"],
      ["Exception"],
      "contract_link",
    ],
    [
      "dates are compared as days, however written",
      "dateWritings",
      ["1034"],
      ["Date Matched"],
      "update",
    ],
    ["a word is listed once", "sameWordTwice", ["1035"], ["Start Date not Match"], "contract_link"],
    [
      "one matching row of several is enough for update",
      "oneOfTwoMatched",
      ["1036"],
      ["End Date not Match", "Date Matched"],
      "update",
    ],
    [
      "another contract number does not change the bucket",
      "otherContract",
      ["1037"],
      ["Date Matched"],
      "update",
    ],
  ])("%s", (_, name, candidates, checks, bucket) => {
    expect(decision(name)).toEqual(candidates.map((candidate) => [candidate, checks, bucket]));
  });

  test("a candidate says by which number it was found", () => {
    expect(of("matched")[0]?.source).toBe("DPN");
    expect(of("byManufacturer")[0]).toMatchObject({ candidate: "1007", source: "MPN" });
    expect(of("byBoth")).toMatchObject([{ candidate: "1008", source: "DPN,MPN" }]);
    expect(of("unknown")[0]).toMatchObject({ candidate: null, source: null, preferred: false });
  });

  test("a number that is alike adds to the score of a candidate", () => {
    const plain = of("byManufacturer")[0]?.score ?? 0;
    expect(of("alikeBesides")).toMatchObject([{ candidate: "1006", source: "MPN" }]);
    expect(of("alikeBesides")[0]?.score).toBeGreaterThan(plain);
  });

  test("two items make two lines with one preferred", () => {
    expect(
      of("twoItems").map(({ candidate, source, preferred }) => [candidate, source, preferred]),
    ).toEqual([
      ["1009", "DPN", true],
      ["1010", "MPN", false],
    ]);
    expect(integrated.rowsReview).toBeGreaterThan(0);
  });

  test("of two vendors with one catalogue number the row's distributor is preferred", () => {
    expect(
      of("sharedCatalogue").map(({ candidate, preferred, bucket }) => [
        candidate,
        preferred,
        bucket,
      ]),
    ).toEqual([
      ["1012", true, "update"],
      ["1011", false, "vendor_link"],
    ]);
  });

  test("a mirror account's row is left out when its twin is there", () => {
    expect(accounts("mirror02")).toEqual(["0201"]);
    expect(decision("mirror02")).toEqual([["1015", ["Date Matched"], "update"]]);
    expect(accounts("mirror05")).toEqual(["0501"]);
  });

  test("a mirror account's row stays without a twin of the same item and catalogue in the paired account", () => {
    expect(accounts("mirrorOtherCatalogue")).toEqual(["0201", "0204"]);
    expect(
      of("mirrorOtherItem")
        .map(({ candidate }) => candidate)
        .sort(),
    ).toEqual(["1018", "1019"]);
    expect(accounts("mirrorOfExcluded")).toEqual(["0204"]);
    expect(accounts("mirrorOtherPair")).toEqual(["0504"]);
  });

  test("the evidence tells when the contract number differs", () => {
    expect(of("otherContract")[0]?.evidence).toMatchObject([
      { contractNumber: "C2", check: "Date Matched", contractNumberDiffers: true },
    ]);
    expect(of("matched")[0]?.evidence).toMatchObject([{ contractNumberDiffers: false }]);
  });

  test("every line names the rule and the baseline rows that it rests on", () => {
    expect(of("unknown")[0]).toMatchObject({ ruleId: "no-candidate", evidence: [] });
    expect(of("otherSite")[0]).toMatchObject({ ruleId: "no-baseline-row", evidence: [] });
    expect(of("startDiffers")[0]).toMatchObject({
      ruleId: "no-date-matched",
      evidence: [
        {
          key: "1028|0101|V1||",
          item: "1028",
          corpAcct: "0101",
          vendorCode: "V1",
          contractStart: "2025-01-02",
        },
      ],
    });
    expect(of("oneOfTwoMatched")[0]?.ruleId).toBe("date-matched");
    expect(of("oneOfTwoMatched")[0]?.evidence).toHaveLength(2);
  });

  test("the highest price is that of the largest pack, rounded once", () => {
    expect(of("matched")[0]?.highestUomPrice).toBe(25);
    expect(of("thirdUnitLargest")[0]?.highestUomPrice).toBe(120.006);
  });

  test("an unknown price unit gives no price and a warning", () => {
    expect(of("unknownUnit")[0]?.highestUomPrice).toBeNull();
    expect(integrated.warnings).toEqual([expect.stringMatching(/row \d+: .*"PK"/)]);
  });

  test("suggestions come from the mapping workbooks, or are null", () => {
    const suggestions = (name: CaseName) => [
      of(name)[0]?.suggestedVendor,
      of(name)[0]?.suggestedManufacturer,
    ];
    expect(suggestions("mapped")).toEqual(["AV2", "AM2"]);
    expect(suggestions("unmapped")).toEqual([null, null]);
    expect(of("unknown")[0]?.suggestedVendor).toBe("AV1");
  });

  test("a line has exactly the promised fields", () => {
    expect(Object.keys(rows[0] ?? {})).toEqual([
      ..."index sourceFile candidate preferred score source contractChecks".split(" "),
      ..."highestUomPrice suggestedVendor suggestedManufacturer bucket ruleId evidence".split(" "),
    ]);
  });

  test("each bucket has a file and a sheet with its rows", async () => {
    for (const bucket of ["create", "vendor_link", "contract_link", "update"]) {
      const expected = rows.filter((row) => row.bucket === bucket);
      const csv = await table(join(out, `${bucket}.csv`));
      const [header, ...lines] = await sheet(join(out, WORKBOOK), bucket);
      expect(header).toEqual(Object.keys(csv[0] ?? {}));
      const index = header?.indexOf("Index") ?? -1;
      expect(lines.map((cells) => Number(cells[index]))).toEqual(expected.map((row) => row.index));
      expect(
        csv.map((row) => [Number(row["Index"]), row["PMM Item Number"], row["Bucket"]]),
      ).toEqual(expected.map(({ index, candidate }) => [index, candidate, bucket]));
      expect(expected.length).toBeGreaterThan(0);
    }
  });

  test("files carry the daily cells, the item, its vendors and the duplicates", async () => {
    const update = await table(join(out, "update.csv"));
    const line = (name: CaseName) =>
      update.find((row) => Number(row["Index"]) === NAMES.indexOf(name) + 1);
    expect(line("vendorSequence")).toMatchObject({
      "Distributor Part Number": "VC-1043",
      "Item Description": "ITEM 1043",
      "Vendors by Seq": "V1; V3; V2",
      "Baseline Contract No": "C1",
      "Contract Check": "Date Matched",
      Duplicates: "N",
      Preferred: "Y",
      Highest_UOM_Price: "25",
    });
    expect(line("twoItems")).toMatchObject({ Duplicates: "Y" });
    expect(line("oneOfTwoMatched")).toMatchObject({ "Baseline Corp Acct": "0102" });
  });

  test("cells that a spreadsheet would run are neutralised in CSV", async () => {
    const text = await readFile(join(out, "update.csv"), "utf8");
    const line = text.split("\r\n").find((row) => row.includes("HYPERLINK"));
    expect(line).toContain(",'=HYPERLINK(1),");
    expect(line).toContain(",'@x,");
    expect(line).toContain(",'+1,");
    expect(line).toContain(",'-C,");
  });

  test("other settings than the defaults are obeyed", async () => {
    const other = await mkdtemp(join(tmpdir(), "cls-rules-"));
    try {
      const run = await runAll(other, {
        excludedAccounts: ["0109"],
        excludedVendorPrefixes: ["@"],
        excludedItemPrefixes: ["100"],
        mirrorAccounts: [["0204", "0201"]],
      });
      const found = (name: CaseName) =>
        run.rows.filter(({ index }) => index === NAMES.indexOf(name) + 1);
      expect(found("laterExcludedAccount")[0]?.candidate).toBeNull();
      expect(found("formula")[0]?.candidate).toBeNull();
      expect(found("matched")[0]?.candidate).toBeNull();
      expect(found("excludedVendor")[0]?.candidate).toBe("1013");
      expect(found("excludedItem")[0]?.candidate).toBe("PM1014");
      expect(found("mirror02")[0]?.evidence.map((row) => row["corpAcct"])).toEqual(["0204"]);
      expect(found("mirror05")[0]?.evidence).toHaveLength(2);
    } finally {
      await rm(other, { recursive: true, force: true });
    }
  });
});

async function sheet(path: string, name: string): Promise<(string | null)[][]> {
  const rows: (string | null)[][] = [];
  for await (const batch of readWorkbook(path, { sheet: name })) {
    for (const { cells } of batch) rows.push([...cells]);
  }
  return rows;
}

async function table(path: string): Promise<Record<string, string | null>[]> {
  const { names, batches } = await openTable(path);
  const rows: Record<string, string | null>[] = [];
  for await (const batch of batches) {
    for (const { cells } of batch) {
      rows.push(Object.fromEntries(names.map((name, at) => [name, cells[at] ?? null])));
    }
  }
  return rows;
}

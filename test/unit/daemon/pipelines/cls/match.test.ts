import { describe, expect, test } from "vitest";
import {
  type CatalogueRow,
  findCandidates,
  normalisePartNumber,
} from "../../../../../daemon/pipelines/cls/match.ts";

const aRow = (row: Partial<CatalogueRow> = {}): CatalogueRow => ({
  item: "100",
  vendor: "V1",
  vendorCatalogue: "VC-1",
  manufacturerCatalogue: "MC-1",
  ...row,
});
const part = { distributorPartNumber: "VC-1", manufacturerPartNumber: "MC-1", distributor: "V1" };

describe("candidates", () => {
  test("name the number that found them", () => {
    const rows = [
      aRow(),
      aRow({ item: "200", manufacturerCatalogue: "x" }),
      aRow({ item: "300", vendorCatalogue: "x" }),
    ];
    expect(findCandidates(part, rows).map(({ item, source }) => [item, source])).toEqual([
      ["100", "DPN,MPN"],
      ["200", "DPN"],
      ["300", "MPN"],
    ]);
  });

  test("merge both numbers even when they stand in different rows of the item", () => {
    const rows = [aRow({ manufacturerCatalogue: null }), aRow({ vendorCatalogue: null })];
    expect(findCandidates(part, rows)).toMatchObject([{ item: "100", source: "DPN,MPN" }]);
  });

  test("are not made by blank part numbers", () => {
    const nothing = { distributorPartNumber: null, manufacturerPartNumber: "", distributor: "V1" };
    const rows = [aRow({ vendorCatalogue: null, manufacturerCatalogue: "" })];
    expect(findCandidates(nothing, rows)).toEqual([]);
  });

  test("are not made by a number that is only alike", () => {
    const rows = [aRow({ vendorCatalogue: "vc1", manufacturerCatalogue: "00MC 1" })];
    expect(findCandidates(part, rows)).toEqual([]);
  });

  test("gain score by a number that is only alike", () => {
    const [plain] = findCandidates(part, [aRow({ manufacturerCatalogue: "other" })]);
    const [alike] = findCandidates(part, [aRow({ manufacturerCatalogue: "0mc 1" })]);
    expect(alike?.score).toBeGreaterThan(plain?.score ?? 0);
    expect(alike?.source).toBe("DPN");
    expect(alike?.reasons).toContain("manufacturer part number, normalised");
  });

  test("prefer the item of the right vendor when two vendors share a catalogue number", () => {
    const rows = [
      aRow({ item: "100", vendor: "V2", manufacturerCatalogue: "MC-1" }),
      aRow({ item: "200", vendor: "V1", manufacturerCatalogue: "x" }),
    ];
    expect(findCandidates(part, rows).map(({ item, preferred }) => [item, preferred])).toEqual([
      ["200", true],
      ["100", false],
    ]);
  });

  test("count the vendor only where the part number stands", () => {
    const rows = [
      aRow({ vendor: "V2" }),
      aRow({ vendorCatalogue: "x", manufacturerCatalogue: "x" }),
    ];
    expect(findCandidates(part, rows)[0]?.reasons).not.toContain("vendor");
  });

  test("of equal score are ordered by item number and only the first is preferred", () => {
    const rows = [aRow({ item: "300" }), aRow({ item: "100" }), aRow({ item: "200" })];
    expect(findCandidates(part, rows).map(({ item, preferred }) => [item, preferred])).toEqual([
      ["100", true],
      ["200", false],
      ["300", false],
    ]);
  });
});

test("a normalised part number has no dashes, blanks, leading zeros or lower case", () => {
  expect(normalisePartNumber(" 00-aB–12 03 ")).toBe("AB1203");
  expect(normalisePartNumber("-0-")).toBe("");
  expect(normalisePartNumber(null)).toBe("");
});

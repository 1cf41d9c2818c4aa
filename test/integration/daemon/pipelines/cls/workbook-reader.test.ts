import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ZipFile } from "yazl";
import { openTable } from "../../../../../daemon/pipelines/cls/table-reader.ts";
import {
  readWorkbook,
  type SheetRow,
} from "../../../../../daemon/pipelines/cls/workbook-reader.ts";
import { writeWorkbook } from "../../../../../daemon/pipelines/cls/xlsx-writer.ts";

let folder: string;
let count = 0;
const path = (extension = "xlsx"): string => {
  count += 1;
  return join(folder, `${count}.${extension}`);
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cls-book-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function rowsOf(file: string, sheet?: string): Promise<SheetRow[]> {
  const rows: SheetRow[] = [];
  for await (const batch of readWorkbook(file, sheet === undefined ? {} : { sheet }))
    rows.push(...batch);
  return rows;
}

interface Parts {
  readonly sheet: string;
  readonly strings?: string;
  readonly styles?: string;
  readonly book?: string;
  readonly compress?: boolean;
}

const MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/** A workbook from raw parts, as other programs write them. */
async function bookOf(parts: Parts): Promise<string> {
  const file = path();
  const zip = new ZipFile();
  const add = (name: string, text: string): void =>
    zip.addBuffer(Buffer.from(text), name, { compress: parts.compress ?? true });
  const book =
    parts.book ??
    `<workbook ${MAIN} xmlns:r="${REL}"><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>`;
  add("xl/workbook.xml", book);
  add(
    "xl/_rels/workbook.xml.rels",
    `<Relationships><Relationship Id="rId1" Type="${REL}/worksheet" Target="/xl/worksheets/sheet1.xml"/><Relationship Id="rId2" Type="${REL}/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="${REL}/styles" Target="styles.xml"/></Relationships>`,
  );
  add("xl/worksheets/sheet1.xml", parts.sheet);
  if (parts.strings !== undefined) add("xl/sharedStrings.xml", parts.strings);
  if (parts.styles !== undefined) add("xl/styles.xml", parts.styles);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
  return file;
}

const data = (rows: string): string =>
  `<worksheet ${MAIN}><sheetData>${rows}</sheetData></worksheet>`;

async function cellsOf(cells: string, more: Partial<Parts> = {}): Promise<(string | null)[]> {
  const rows = await rowsOf(await bookOf({ sheet: data(`<row r="1">${cells}</row>`), ...more }));
  return rows[0]?.cells ?? [];
}

describe("what the writer wrote", () => {
  test("is read again, with gaps, numbers and every character", async () => {
    const file = path();
    const odd = 'a & <b> "c" \u0001 _x0041_ \r\n é 漢 😀';
    const rows = [["name", odd, null, 1.5], [], [null, null, "  spaced  "]];
    await writeWorkbook(file, [
      { name: "First", rows },
      { name: "Second", rows: [["other"]] },
    ]);
    expect(await rowsOf(file)).toEqual([
      { row: 1, cells: ["name", odd, null, "1.5"] },
      { row: 3, cells: [null, null, "  spaced  "] },
    ]);
    expect(await rowsOf(file, "Second")).toEqual([{ row: 1, cells: ["other"] }]);
  });

  test("is the same bytes for the same input", async () => {
    const [one, two] = [path(), path()];
    const sheets = [{ name: "S", rows: [["a"], ["b"]] }];
    await writeWorkbook(one, sheets);
    const { bytes } = await writeWorkbook(two, sheets);
    const content = await readFile(two);
    expect(await readFile(one)).toEqual(content);
    expect(bytes).toBe(content.length);
  });

  test("fails with the source's error when its rows fail", async () => {
    function* rows() {
      yield ["a"];
      throw new Error("no more rows");
    }
    await expect(writeWorkbook(path(), [{ name: "S", rows: rows() }])).rejects.toThrow(
      "no more rows",
    );
  });
});

describe("what other programs write", () => {
  test("shared strings, joined from runs of rich text and without phonetic hints", async () => {
    const strings = `<sst ${MAIN}><si><t>plain</t></si><si><r><t>rich </t></r><r><rPr/><t>text</t></r><rPh sb="0" eb="1"><t>hint</t></rPh></si></sst>`;
    expect(
      await cellsOf('<c r="A1" t="s"><v>1</v></c><c r="C1" t="s"><v>0</v></c>', { strings }),
    ).toEqual(["rich text", null, "plain"]);
  });

  test("booleans, errors, formula results and ISO dates as text", async () => {
    const cells =
      '<c r="A1" t="b"><v>1</v></c><c r="B1" t="e"><v>#N/A</v></c><c r="C1" t="str"><f>A1&amp;"x"</f><v>made</v></c><c r="D1" t="d"><v>2025-11-19T00:00:00</v></c>';
    expect(await cellsOf(cells)).toEqual(["TRUE", "#N/A", "made", "2025-11-19T00:00:00"]);
  });

  test("numbers as they are shown: no exponent and no noise of binary fractions", async () => {
    const cells = ["12", "12.109999999999999", "1E-05", "1.5E+20", "-3.5"].map(
      (v) => `<c><v>${v}</v></c>`,
    );
    expect(await cellsOf(cells.join(""))).toEqual([
      "12",
      "12.11",
      "0.00001",
      "150000000000000000000",
      "-3.5",
    ]);
  });

  test("date cells by their style as ISO, and identifiers with the leading zeros they are shown with", async () => {
    const styles = `<styleSheet ${MAIN}><numFmts><numFmt numFmtId="164" formatCode="dd\\-mmm\\-yyyy"/><numFmt numFmtId="165" formatCode="0000"/><numFmt numFmtId="166" formatCode="&quot;day &quot;0.00"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="22"/></cellXfs></styleSheet>`;
    const cells =
      '<c s="0"><v>45980</v></c><c s="1"><v>45980</v></c><c s="2"><v>45981</v></c><c s="3"><v>201</v></c><c s="4"><v>45980</v></c><c s="5"><v>45980.359722222</v></c>';
    expect(await cellsOf(cells, { styles })).toEqual([
      "45980",
      "2025-11-19",
      "2025-11-20",
      "0201",
      "45980",
      "2025-11-19 08:38:00",
    ]);
  });

  test("dates of workbooks that count from 1904", async () => {
    const book = `<workbook ${MAIN} xmlns:r="${REL}"><workbookPr date1904="1"/><sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>`;
    const styles = `<styleSheet ${MAIN}><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>`;
    expect(await cellsOf('<c s="0"><v>44518</v></c>', { book, styles })).toEqual(["2025-11-19"]);
  });

  test("prefixed elements, and rows and cells without references", async () => {
    const sheet =
      '<x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><x:sheetData><x:row><x:c><x:v>1</x:v></x:c><x:c/><x:c t="inlineStr"><x:is><x:t>b</x:t></x:is></x:c></x:row><x:row><x:c><x:v>2</x:v></x:c></x:row></x:sheetData></x:worksheet>';
    expect(await rowsOf(await bookOf({ sheet }))).toEqual([
      { row: 1, cells: ["1", null, "b"] },
      { row: 2, cells: ["2"] },
    ]);
  });
});

describe("a workbook is unreadable", () => {
  const refused = async (file: string, what?: string): Promise<void> => {
    const reading = rowsOf(file);
    await expect(reading).rejects.toMatchObject({ code: "cls-file-unreadable" });
    if (what !== undefined) await expect(reading).rejects.toThrow(what);
  };

  test("when it is absent, empty or no zip", async () => {
    await refused(join(folder, "absent.xlsx"));
    const file = path();
    await writeFile(file, "");
    await refused(file);
    await writeFile(file, "this is not a workbook");
    await refused(file);
  });

  test("when it is cut off anywhere", async () => {
    const file = path();
    const rows = Array.from({ length: 500 }, (_, n) => [`cell ${n * 7919}`, `other ${n}`]);
    await writeWorkbook(file, [{ name: "S", rows }]);
    const whole = await readFile(file);
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const cut = path();
      await writeFile(cut, whole.subarray(0, Math.floor(whole.length * share)));
      await refused(cut);
    }
  });

  test("when a character was changed on the way", async () => {
    const file = await bookOf({
      sheet: data('<row r="1"><c r="A1"><v>12345</v></c></row>'),
      compress: false,
    });
    const bytes = await readFile(file);
    bytes[bytes.indexOf("12345")] = "9".charCodeAt(0);
    await writeFile(file, bytes);
    await refused(file, "checksum");
  });

  test("when it is a zip of something else", async () => {
    const file = path();
    const zip = new ZipFile();
    zip.addBuffer(Buffer.from("hello"), "hello.txt");
    zip.end();
    await pipeline(zip.outputStream, createWriteStream(file));
    await refused(file, "no workbook");
  });

  test.each([
    ["its XML is not closed", `<worksheet ${MAIN}><sheetData><row r="1">`],
    ["its XML is malformed", data('<row r="1"><c r="A1"><v>1</c></row>')],
    ["it is not a sheet", "<html><body/></html>"],
    ["a text is missing from the table", data('<row r="1"><c r="A1" t="s"><v>7</v></c></row>')],
    ["a number is none", data('<row r="1"><c r="A1"><v>abc</v></c></row>')],
    ["a cell is named wrongly", data('<row r="1"><c r="1"><v>1</v></c></row>')],
    ["it has no data part", `<worksheet ${MAIN}/>`],
  ])("when %s", async (_, sheet) => {
    await refused(await bookOf({ sheet }));
  });
});

describe("a table", () => {
  async function tableOf(file: string) {
    const table = await openTable(file);
    const rows: SheetRow[] = [];
    for await (const batch of table.batches) rows.push(...batch);
    return { names: table.names, rows };
  }

  test("has its first row that is not blank as trimmed header, and clean cells", async () => {
    const file = path();
    await writeWorkbook(file, [
      {
        name: "S",
        rows: [[" "], [" A ", "B", "A", null, "C", null], ["1 ", "  "], [" ", ""], ["2", "x"]],
      },
    ]);
    expect(await tableOf(file)).toEqual({
      names: ["A", "B", "A (2)", "Column 4", "C"],
      rows: [
        { row: 3, cells: ["1", null, null, null, null] },
        { row: 5, cells: ["2", "x", null, null, null] },
      ],
    });
  });

  test("is unreadable without a header", async () => {
    const file = path();
    await writeWorkbook(file, [{ name: "S", rows: [] }]);
    await expect(openTable(file)).rejects.toMatchObject({ code: "cls-file-unreadable" });
  });

  test.each([
    ["comma", '\ufeffA,B\r\n"1, ""x""",2\r\n\r\n3,\r\n'],
    ["semicolon", 'A;B\n"1, ""x""";2\n\n3\n'],
  ])("may be a CSV file with %s", async (_, text) => {
    const file = path("csv");
    await writeFile(file, text);
    expect(await tableOf(file)).toEqual({
      names: ["A", "B"],
      rows: [
        { row: 2, cells: ['1, "x"', "2"] },
        { row: 4, cells: ["3", null] },
      ],
    });
  });

  test.each([
    ["an open quote", Buffer.from('A,B\n"1,2\n')],
    ["another encoding", Buffer.from([0x41, 0x0a, 0xe9, 0x0a])],
  ])("of CSV is unreadable with %s", async (_, bytes) => {
    const file = path("csv");
    await writeFile(file, bytes);
    await expect(tableOf(file)).rejects.toMatchObject({ code: "cls-file-unreadable" });
  });
});

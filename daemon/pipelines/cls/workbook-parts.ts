import { posix } from "node:path";
import { SaxesParser } from "saxes";

/** What a numeric cell with a style means. `pad`: an identifier shown with leading zeros, to that many digits. */
export type CellStyle =
  | { readonly kind: "number" }
  | { readonly kind: "date" }
  | { readonly kind: "pad"; readonly digits: number };

/** Where the parts of a workbook lie inside the package; paths are lower case. */
export interface WorkbookPart {
  readonly sheets: readonly { readonly name: string; readonly path: string }[];
  readonly date1904: boolean;
  readonly stringsPath: string;
  readonly stylesPath: string;
}

/** `x:row` → `row`: some writers prefix every element. */
export function localName(name: string): string {
  const colon = name.indexOf(":");
  return colon < 0 ? name : name.slice(colon + 1);
}

type Attributes = Readonly<Record<string, string>>;

function eachTag(xml: string, onTag: (name: string, attributes: Attributes) => void): void {
  if (xml === "") return;
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", (tag) => onTag(localName(tag.name), tag.attributes as Attributes));
  parser.write(xml).close();
}

/** Reads workbook.xml and its relations. `folder` is where workbook.xml lies, against which targets are resolved. */
export function parseWorkbookPart(xml: string, rels: string, folder: string): WorkbookPart {
  const targets = new Map<string, string>();
  let stringsPath = "";
  let stylesPath = "";
  eachTag(rels, (name, attributes) => {
    if (name !== "Relationship") return;
    const target = attributes["Target"] ?? "";
    const path = (
      target.startsWith("/") ? target.slice(1) : posix.join(folder, target)
    ).toLowerCase();
    targets.set(attributes["Id"] ?? "", path);
    const type = attributes["Type"] ?? "";
    if (type.endsWith("/sharedStrings")) stringsPath = path;
    if (type.endsWith("/styles")) stylesPath = path;
  });
  const sheets: { name: string; path: string }[] = [];
  let date1904 = false;
  eachTag(xml, (name, attributes) => {
    if (name === "workbookPr") date1904 = /^(1|true)$/.test(attributes["date1904"] ?? "");
    if (name !== "sheet") return;
    const id = Object.entries(attributes).find(([key]) => localName(key) === "id")?.[1] ?? "";
    sheets.push({ name: attributes["name"] ?? "", path: targets.get(id) ?? "" });
  });
  return { sheets, date1904, stringsPath, stylesPath };
}

const NUMBER: CellStyle = { kind: "number" };
const DATE: CellStyle = { kind: "date" };

/** The style of each cell format (attribute `s` of a cell), from styles.xml; empty text gives an empty list. */
export function parseStyles(xml: string): CellStyle[] {
  const formats = new Map<number, string>();
  const styles: CellStyle[] = [];
  let inCellFormats = false;
  eachTag(xml, (name, attributes) => {
    if (name === "numFmt") {
      formats.set(Number(attributes["numFmtId"]), attributes["formatCode"] ?? "");
    }
    if (name === "cellXfs") inCellFormats = true;
    if (name === "cellStyles" || name === "dxfs") inCellFormats = false;
    if (name === "xf" && inCellFormats) {
      const id = Number(attributes["numFmtId"] ?? 0);
      styles.push(styleOf(id, formats.get(id)));
    }
  });
  return styles;
}

/** The built-in date and time formats of the standard; the others are numbers. */
function isBuiltInDate(id: number): boolean {
  return (
    (id >= 14 && id <= 22) ||
    (id >= 27 && id <= 36) ||
    (id >= 45 && id <= 47) ||
    (id >= 50 && id <= 58)
  );
}

function styleOf(id: number, code: string | undefined): CellStyle {
  if (code === undefined) return isBuiltInDate(id) ? DATE : NUMBER;
  if (/^0{2,}$/.test(code)) return { kind: "pad", digits: code.length };
  // Quoted and escaped text, colours and conditions in brackets are no date letters; elapsed time `[h]` is.
  const letters = code.replace(/"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, "");
  return /[ymdhs]/i.test(letters.replace(/general/gi, "")) ? DATE : NUMBER;
}

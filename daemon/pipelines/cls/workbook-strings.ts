import { SaxesParser } from "saxes";
import { localName } from "./workbook-parts.ts";

/** Excel writes characters that XML cannot carry as `_x0001_`; this turns them back. */
export function decodeEscapes(text: string): string {
  if (!text.includes("_x")) return text;
  return text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

export interface SharedStrings {
  readonly list: readonly string[];
  write(text: string): void;
  end(): void;
}

/** Collects the table of strings from pieces of sharedStrings.xml. Runs of rich text are joined, phonetic hints left out. */
export function createSharedStrings(): SharedStrings {
  const list: string[] = [];
  const parser = new SaxesParser({ xmlns: false, position: false });
  let text = "";
  let inText = false;
  let inPhonetic = false;
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name: tag }) => {
    const name = localName(tag);
    if (name === "si") text = "";
    else if (name === "rPh") inPhonetic = true;
    else if (name === "t") inText = !inPhonetic;
  });
  parser.on("text", (piece) => {
    if (inText) text += piece;
  });
  parser.on("closetag", ({ name: tag }) => {
    const name = localName(tag);
    if (name === "si") list.push(decodeEscapes(text));
    else if (name === "rPh") inPhonetic = false;
    else if (name === "t") inText = false;
  });
  return { list, write: (piece) => void parser.write(piece), end: () => void parser.close() };
}

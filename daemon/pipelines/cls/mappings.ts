import { AppError } from "../../../shared/errors.ts";
import { columnIndex } from "./columns.ts";
import type { InputFile } from "./inputs.ts";
import { openTable } from "./table-reader.ts";
import type { Warnings } from "./warnings.ts";

/** Business Central numbers to the codes of the materials-management system. */
export interface Mappings {
  vendorOf(businessCentralNumber: string | null): string | null;
  manufacturerOf(businessCentralNumber: string | null): string | null;
}

interface MappingFile {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

const VENDORS: MappingFile = {
  name: "VN Mapping",
  from: "BC_Vendor No_",
  to: "All_Vendor Code",
};
const MANUFACTURERS: MappingFile = {
  name: "MFN Mapping",
  from: "BC_Manufacturer No_",
  to: "All_Manufacturer Number",
};

/**
 * Reads the two mapping workbooks among the reference files. An absent one is a warning and suggests nothing;
 * one that is there but cannot be used throws `cls-file-unreadable`, because its suggestions would be missed silently.
 */
export async function loadMappings(
  refFiles: readonly InputFile[],
  warnings: Warnings,
): Promise<Mappings> {
  const vendors = await loadMapping(VENDORS, refFiles, warnings);
  const manufacturers = await loadMapping(MANUFACTURERS, refFiles, warnings);
  return {
    vendorOf: (number) => (number === null ? null : (vendors.get(number) ?? null)),
    manufacturerOf: (number) => (number === null ? null : (manufacturers.get(number) ?? null)),
  };
}

async function loadMapping(
  mapping: MappingFile,
  refFiles: readonly InputFile[],
  warnings: Warnings,
): Promise<Map<string, string>> {
  const stem = mapping.name.toLowerCase();
  const file = refFiles.find(({ name }) => name.toLowerCase().replace(/\.[^.]+$/, "") === stem);
  if (file === undefined) {
    warnings.add("mapping", `ref_files has no ${mapping.name}.xlsx: its suggestions stay empty`);
    return new Map();
  }
  const table = await openTable(file.path);
  const index = columnIndex(table.names);
  const from = index.get(mapping.from.toLowerCase());
  const to = index.get(mapping.to.toLowerCase());
  if (from === undefined || to === undefined) {
    await table.batches.return(undefined);
    const what = `it has no column "${from === undefined ? mapping.from : mapping.to}"`;
    throw new AppError("cls-file-unreadable", { file: file.path, what });
  }
  const codes = new Map<string, string>();
  for await (const batch of table.batches) {
    for (const { cells } of batch) addPair(codes, cells[from], cells[to], file, warnings);
  }
  return codes;
}

/** The first code of a number stays: a later one would change suggestions by the order of edits. */
function addPair(
  codes: Map<string, string>,
  number: string | null | undefined,
  code: string | null | undefined,
  file: InputFile,
  warnings: Warnings,
): void {
  if (number == null || code == null) return;
  const known = codes.get(number);
  if (known === undefined) codes.set(number, code);
  else if (known !== code) {
    warnings.add(
      "mapping",
      `${file.name}: ${number} is mapped to ${known} and ${code}; ${known} is used`,
    );
  }
}

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const CHECKOUT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const ROOT_NAME = "cls0031";
const KEY_NAME = "cls0031_key.json";

/** The sample of report 0031 with the answers that belong to it. */
export interface ClsSample {
  /** A folder as the pipeline expects it. */
  readonly root: string;
  key(): Promise<SampleKey>;
}

export interface SampleCandidate {
  readonly pmm: string;
  readonly source: string;
  readonly vendorRows: number;
  readonly contractChecks: readonly string[];
  readonly proposedBucket: string;
}

export interface SampleDailyRow {
  readonly index: number;
  readonly candidates: readonly SampleCandidate[];
  readonly highestUomPrice: number;
  readonly suggestedVN: string | null;
  readonly suggestedMFN: string | null;
  readonly proposedBucket: string | null;
}

export interface SampleKey {
  readonly baseline: { readonly rowsLoaded: number; readonly duplicateKeys: number };
  readonly incrementals: {
    readonly files: Readonly<Record<string, number>>;
    readonly newKeys: number;
    readonly updatedKeys: number;
    readonly finalRows: number;
    /** Keys that three files touch. */
    readonly multi: readonly { readonly key: string; readonly finalPrice1: string }[];
  };
  readonly lookupRows: number;
  readonly daily: { readonly rows: number; readonly rows_: readonly SampleDailyRow[] };
  /** What must become of every increment row, in the order of the files. */
  readonly events: readonly {
    readonly file: string;
    readonly key: string;
    readonly expect: string;
  }[];
}

/** The key's words for events as ours. */
const EVENT_OF: Readonly<Record<string, string>> = {
  new: "new",
  updated: "updated",
  updated_superseded: "updated",
  updated_final: "updated",
  updated_and_cleans_duplicates: "updated",
  updated_no_field_change: "updated_same",
  skipped_outdated: "older",
  skipped_same_date: "conflict",
  skipped_or_flagged: "review",
  filtered: "filtered",
};

/** `day key event` of every increment row that the key expects, sorted. */
export function expectedEvents({ events }: SampleKey): string[] {
  return events.map(({ file, key, expect }) => eventLine(file, key, EVENT_OF[expect])).sort();
}

/** The same line for a row of ours; `file` is any name with the day in it. */
export function eventLine(file: string, key: string, event: string | undefined): string {
  return `${/\d{4}_\d\d_\d\d/.exec(file)?.[0] ?? file} ${key} ${event ?? "unknown to this test"}`;
}

/** One daily row and candidate as both sides are compared. */
export interface ComparedRow {
  readonly index: number;
  readonly highestUomPrice: number | null;
  readonly suggestedVendor: string | null;
  readonly suggestedManufacturer: string | null;
  readonly candidate: string | null;
  readonly source: string | null;
  readonly contractChecks: readonly string[];
  readonly evidence: number;
  readonly preferred: boolean;
  readonly bucket: string | null;
}

/** Every line of `rows.ndjson` that the key expects, in order. */
export function expectedRows({ daily }: SampleKey): ComparedRow[] {
  return daily.rows_.flatMap((row): ComparedRow[] => {
    const common = {
      index: row.index,
      highestUomPrice: row.highestUomPrice,
      suggestedVendor: row.suggestedVN,
      suggestedManufacturer: row.suggestedMFN,
    };
    if (row.candidates.length === 0) {
      const none = { candidate: null, source: null, contractChecks: [], evidence: 0 };
      return [{ ...common, ...none, preferred: false, bucket: row.proposedBucket }];
    }
    return row.candidates.map((candidate) => ({
      ...common,
      candidate: candidate.pmm,
      source: candidate.source,
      contractChecks: candidate.contractChecks,
      evidence: candidate.vendorRows,
      preferred: true,
      bucket: candidate.proposedBucket,
    }));
  });
}

/** A line of `rows.ndjson` for the comparison. */
export function comparedRow(
  line: Omit<ComparedRow, "evidence"> & { readonly evidence: readonly unknown[] },
): ComparedRow {
  const { index, candidate, source, contractChecks, preferred, bucket, evidence } = line;
  const { highestUomPrice, suggestedVendor, suggestedManufacturer } = line;
  const suggested = { suggestedVendor, suggestedManufacturer };
  const found = { candidate, source, contractChecks, evidence: evidence.length, preferred, bucket };
  return { index, highestUomPrice, ...suggested, ...found };
}

/**
 * The sample in the folder that `MSGSYS_CLS_SAMPLE` names, else in `../shared/data` beside the checkout. Null when neither has
 * it; then standard error tells that `what` is skipped, and why.
 */
export function findClsSample(what: string): ClsSample | null {
  const places = [process.env["MSGSYS_CLS_SAMPLE"], join(CHECKOUT, "..", "shared", "data")];
  for (const place of places) {
    if (place === undefined || place === "") continue;
    const root = join(place, ROOT_NAME);
    const answers = join(place, KEY_NAME);
    if (!existsSync(root) || !existsSync(answers)) continue;
    return { root, key: async () => JSON.parse(await readFile(answers, "utf8")) as SampleKey };
  }
  console.warn(
    `SKIPPED: ${what}. Set MSGSYS_CLS_SAMPLE to the folder that holds ${ROOT_NAME} and ${KEY_NAME}, or put it at ../shared/data.`,
  );
  return null;
}

/** The objects of a file with one JSON object a line. */
export async function readNdjson<T>(path: string): Promise<T[]> {
  const text = await readFile(path, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

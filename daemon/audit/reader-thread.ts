import { parentPort, workerData } from "node:worker_threads";
import { fromUnknown, type WireError } from "../../shared/errors.ts";
import { collectWhenIdle } from "../collect-when-idle.ts";
import type { AuditReader } from "./audit-store.ts";
import { backUp } from "./backup.ts";
import { BOARD } from "./messages.ts";
import { createReader } from "./reader.ts";

export interface ReaderThreadData {
  readonly file: string;
  readonly board: SharedArrayBuffer;
}

export interface ReadCall {
  readonly call: number;
  /** `close` ends the thread, with its database closed. */
  readonly method: keyof AuditReader | "backup";
  readonly args: readonly unknown[];
}

export type ReadAnswer =
  | { readonly call: number; readonly value: unknown }
  | { readonly call: number; readonly error: WireError };

const { file, board } = workerData as ReaderThreadData;
const numbers = new BigInt64Array(board);
const reader = createReader({ file, epoch: () => Number(Atomics.load(numbers, BOARD.opened)) });

async function answer({ method, args }: ReadCall): Promise<unknown> {
  if (method === "backup") return backUp(file, String(args[0]));
  const read = reader[method] as (...values: readonly unknown[]) => unknown;
  return read(...args);
}

parentPort?.on("message", (message: ReadCall) => {
  const { call } = message;
  if (message.method === "close") {
    reader.close();
    process.exit(0);
  }
  answer(message).then(
    (value) => parentPort?.postMessage({ call, value } satisfies ReadAnswer),
    (error: unknown) =>
      parentPort?.postMessage({ call, error: fromUnknown(error).toWire() } satisfies ReadAnswer),
  );
});

collectWhenIdle();

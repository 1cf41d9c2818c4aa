/** What a client meant to enqueue, and what it was told. Instants are monotonic ns, comparable with those of the handlers. */
export interface Intent {
  readonly label: string;
  readonly name: string;
  readonly level: number;
  /** The id that the client chose; null when it used a key or left it to the library. */
  readonly id: string | null;
  readonly key: string | null;
  readonly delayMs: number;
  /** Its place in the order in which one client sent its tasks. */
  sentNs: bigint;
  /** When the first answer came that says it is accepted; null: never told. */
  acceptedNs: bigint | null;
  /** The ids that answers named. More than one means that it was enqueued twice. */
  readonly ids: Set<string>;
  /** Sendings whose outcome the client never learnt. */
  unknown: number;
  sendings: number;
}

export interface Ledger {
  readonly intents: Map<string, Intent>;
  /** Answers that refused something, by act and error code. */
  readonly refusals: Map<string, number>;
  /** Acts that were applied. */
  readonly acts: Map<string, number>;
}

export function createLedger(): Ledger {
  return { intents: new Map(), refusals: new Map(), acts: new Map() };
}

export function count(map: Map<string, number>, what: string, by = 1): void {
  map.set(what, (map.get(what) ?? 0) + by);
}

export function accept(intent: Intent, id: string): void {
  intent.acceptedNs ??= process.hrtime.bigint();
  intent.ids.add(id);
}

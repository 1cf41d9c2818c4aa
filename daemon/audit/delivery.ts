/** What a delivered record's reply subject tells. */
export interface Delivery {
  readonly streamSeq: number;
  readonly consumerSeq: number;
  /** When the broker stored it, in ns since 1970; as text, because it does not fit in a number. */
  readonly time: string;
  /** Records behind this one that match the consumer's filter. */
  readonly pending: number;
}

/**
 * Parses `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`, and the longer form that
 * puts a domain and an account behind `ACK` and may end with further tokens. Null for any other subject.
 */
export function parseDelivery(reply: string): Delivery | null {
  if (!reply.startsWith("$JS.ACK.")) return null;
  const tokens = reply.split(".");
  if (tokens.length !== 9 && tokens.length < 11) return null;
  const at = tokens.length === 9 ? 5 : 7;
  return {
    streamSeq: Number(tokens[at]),
    consumerSeq: Number(tokens[at + 1]),
    time: tokens[at + 2] ?? "",
    pending: Number(tokens[at + 3]),
  };
}

/** The instant of a JetStream message as the reply subject of a delivery words it: ns since 1970. */
export function toNanos(rfc3339: string): string {
  const [, seconds = "", fraction = ""] = /^(.*?)(?:\.(\d+))?Z$/.exec(rfc3339) ?? [];
  const epochSeconds = Math.floor(Date.parse(`${seconds}Z`) / 1000);
  return `${epochSeconds}${fraction.padEnd(9, "0")}`;
}

/** More than these say nothing new, and a result has to stay small. */
const MAX_PER_KIND = 20;

/** Warnings of a phase; of each kind the first 20 are kept in full and the rest is counted. */
export interface Warnings {
  add(kind: string, text: string): void;
  list(): string[];
}

export function createWarnings(): Warnings {
  const kinds = new Map<string, { texts: string[]; more: number }>();
  return {
    add(kind, text) {
      const known = kinds.get(kind) ?? { texts: [], more: 0 };
      kinds.set(kind, known);
      if (known.texts.length < MAX_PER_KIND) known.texts.push(text);
      else known.more += 1;
    },
    list: () =>
      [...kinds].flatMap(([kind, { texts, more }]) =>
        more === 0 ? texts : [...texts, `${kind}: ${more} more like these`],
      ),
  };
}

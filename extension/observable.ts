/** A value that somebody else changes. */
export interface Observable<T> {
  get(): T;
  /** Calls `listener` at each change until the returned function is called. */
  onChange(listener: (value: T) => void): () => void;
}

/** The owner's side of it: listeners hear of a value that is not the same object as the one before. */
export interface Source<T> extends Observable<T> {
  set(value: T): void;
}

/** A value with listeners. One that throws does not keep the others from hearing. */
export function createSource<T>(
  first: T,
  failed: (error: unknown) => void = (error) => console.error(error),
): Source<T> {
  const listeners = new Set<(value: T) => void>();
  let value = first;
  return {
    get: () => value,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      // A copy: a listener may stop listening, or begin, while it is called.
      for (const listener of [...listeners]) {
        // A listener that set another value meanwhile has told the others of it already.
        if (!Object.is(value, next)) return;
        if (!listeners.has(listener)) continue;
        try {
          listener(next);
        } catch (error) {
          failed(error);
        }
      }
    },
  };
}

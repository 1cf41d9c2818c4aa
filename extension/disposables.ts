/** What must be given back, in one place. */
export interface Disposables {
  /** Kept until the end; given back at once when the end has come. */
  add(...disposables: readonly { dispose(): unknown }[]): void;
  /** Gives all back, the last first. One that fails does not keep the others. */
  dispose(): void;
}

export function createDisposables(
  failed: (error: unknown) => void = (error) => console.error(error),
): Disposables {
  const kept: { dispose(): unknown }[] = [];
  let ended = false;
  const giveBack = (disposable: { dispose(): unknown }): void => {
    try {
      disposable.dispose();
    } catch (error) {
      failed(error);
    }
  };
  return {
    add(...disposables) {
      if (ended) disposables.forEach(giveBack);
      else kept.push(...disposables);
    },
    dispose() {
      ended = true;
      for (const disposable of kept.splice(0).reverse()) giveBack(disposable);
    },
  };
}

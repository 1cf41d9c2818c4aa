/** What the patience looks at; see `watchPatience`. */
export interface PatienceDeps {
  readonly slots: number;
  /** Whether every slot is held. */
  busy(): boolean;
  /** Tasks in hand that have no slot. */
  waiting(): number;
  /** Whether handlers are quick enough for tasks to be taken ahead of their slots. */
  isQuick(): boolean;
  /** Gives all of them back; `heldMs`: for how long no slot has become free. */
  giveBack(heldMs: number): void;
}

export interface Patience {
  /** A slot became free. */
  freed(): void;
  stop(): void;
}

const TICK_MS = 50;
/**
 * After so many looks without a free slot what was taken ahead goes back. Looks and not time: a process that was starved
 * of the processor has only been late.
 */
const PATIENCE_TICKS = 5;

/**
 * Tasks are taken ahead because handlers were quick. When long ones then hold every slot, those tasks would wait for them
 * although another worker could start them at once.
 */
export function watchPatience(deps: PatienceDeps): Patience {
  let ticks = 0;
  const timer = setInterval(() => {
    const waiting = deps.waiting();
    if (waiting === 0 || !deps.busy()) {
      ticks = 0;
      return;
    }
    ticks++;
    // Either a slot is overdue, or handlers have become slow ones and more is in hand than they will soon take.
    if (ticks >= PATIENCE_TICKS || (!deps.isQuick() && waiting > deps.slots))
      deps.giveBack(ticks * TICK_MS);
  }, TICK_MS);
  timer.unref();
  return {
    freed() {
      ticks = 0;
    },
    stop: () => clearInterval(timer),
  };
}

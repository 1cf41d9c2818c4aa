/** How often and how soon something may be started again. */
export interface RestartRules {
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  readonly factor: number;
  /** Part of the delay that chance adds or takes away, 0–1: several that fell together do not come back together. */
  readonly jitter: number;
  /** This many restarts within `windowMs` are tried; the next failure gives up. Infinity: never. */
  readonly maxRestarts: number;
  readonly windowMs: number;
}

/** For processes of our own: at once, then slower, given up after ten in a minute. */
export const DEFAULT_RESTART_RULES: RestartRules = {
  firstDelayMs: 100,
  maxDelayMs: 10_000,
  factor: 2,
  jitter: 0.2,
  maxRestarts: 10,
  windowMs: 60_000,
};

/**
 * For pools of workers: never given up, because what ends them is most often a task, and the tasks that do are stopped by
 * the journal's count. Soon up again, because each poisonous task costs its pool several processes.
 */
export const POOL_RESTART_RULES: RestartRules = {
  ...DEFAULT_RESTART_RULES,
  maxDelayMs: 5000,
  maxRestarts: Number.POSITIVE_INFINITY,
};

/** What to do after an unexpected end. */
export type RestartDecision =
  | { readonly kind: "restart"; readonly delayMs: number; readonly policy: RestartPolicy }
  | { readonly kind: "give-up"; readonly restarts: number; readonly windowMs: number };

/** A value: `next` answers with the policy to ask the time after, and changes nothing itself. */
export interface RestartPolicy {
  /** `nowMs` on a monotonic clock; `random` in 0–1 decides the jitter. */
  next(nowMs: number, random: number): RestartDecision;
}

/** The policy before any restart. The delay grows with the restarts inside the window, so a calm time resets it. */
export function restartPolicy(rules: RestartRules = DEFAULT_RESTART_RULES): RestartPolicy {
  return policyAfter(rules, []);
}

function policyAfter(rules: RestartRules, restartsAtMs: readonly number[]): RestartPolicy {
  return {
    next(nowMs, random) {
      const recent = restartsAtMs.filter((atMs) => nowMs - atMs < rules.windowMs);
      if (recent.length >= rules.maxRestarts)
        return { kind: "give-up", restarts: recent.length, windowMs: rules.windowMs };
      const plainMs = Math.min(
        rules.maxDelayMs,
        rules.firstDelayMs * rules.factor ** recent.length,
      );
      const delayMs = Math.round(plainMs * (1 + rules.jitter * (2 * random - 1)));
      return { kind: "restart", delayMs, policy: policyAfter(rules, [...recent, nowMs]) };
    },
  };
}

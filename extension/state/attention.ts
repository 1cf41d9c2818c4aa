import type { Client } from "../../shared/bus/client.ts";
import type { FollowEvent } from "../../shared/bus/follow.ts";
import type { RunView } from "../../shared/control.ts";
import { describe } from "../../shared/errors.ts";
import type { App } from "../app-context.ts";
import { causesOf } from "./dead-letter-model.ts";
import { limitsOf } from "./limits.ts";
import { createRunWatch } from "./run-watch.ts";
import type { WorkSource } from "./work-source.ts";
import { summarize } from "./work-summary.ts";

/** What of an extension's `App` is needed here. */
export type AttentionApp = Pick<
  App,
  "identity" | "log" | "notifications" | "setContext" | "setting" | "work"
>;

/** Watches what a person should hear of although no view is open: dead letters, runs that ended, work that is late. */
export interface Attention {
  /** The Dead Letters view was shown or hidden: what it shows is not new any more. */
  lookedAtDead(visible: boolean): void;
  dispose(): void;
}

export interface AttentionDeps {
  readonly app: AttentionApp;
  readonly source: WorkSource;
  /** When the user last looked at the dead letters, epoch ms; kept over restarts. */
  seenAt(): number | undefined;
  saveSeenAt(at: number): void;
  /** Whether some view shows the run anyway. */
  isShown(run: RunView): boolean;
  readonly now?: () => number;
}

/** Time between two looks at the counts while things happen. Nothing is asked while nothing happens. */
const LOOK_MS = 5000;
const LETTERS = 100;

export function createAttention(deps: AttentionDeps): Attention {
  const { app, source, now = Date.now } = deps;
  let timer: ReturnType<typeof setTimeout> | null = null;
  let isLooking = false;
  let isLate = false;
  let notBefore = 0;
  let isVisible = false;
  const runs = createRunWatch({
    get: async (id) => (await source.client()?.getRun(id)) ?? null,
    user: () => app.identity.get()?.user ?? null,
    ended: (run, outcome, tookMs) => {
      if (deps.isShown(run)) return;
      app.notifications.runEnded({ runId: run.id, pipeline: run.pipeline, outcome, tookMs });
    },
    failed: (error) => app.log.warn("run.watch.failed", { what: describe(error) }),
  });

  function heard(event: FollowEvent): void {
    runs.heard(event);
    tellDead(event);
    schedule();
  }

  function tellDead(event: FollowEvent): void {
    if (event.kind !== "task" || event.status !== "dead" || event.record.act === "discard") return;
    const { record, taskId, queue } = event;
    const cause = record.e?.code ?? record.dead ?? "unknown";
    app.notifications.deadLetter({ taskId, name: record.n ?? queue, cause });
  }

  function schedule(): void {
    if (source.client() === null || timer !== null) return;
    if (isLooking) {
      isLate = true;
      return;
    }
    timer = setTimeout(
      () => {
        timer = null;
        void look();
      },
      Math.max(0, notBefore - now()),
    );
    // The count of a status bar keeps no process alive.
    (timer as { unref?: () => void }).unref?.();
  }

  async function look(): Promise<void> {
    const client = source.client();
    if (client === null) return;
    isLooking = true;
    try {
      await summarizeFrom(client);
    } catch (error) {
      app.log.debug("work.summary.failed", { what: describe(error) });
    } finally {
      isLooking = false;
      notBefore = now() + LOOK_MS;
      if (isLate) {
        isLate = false;
        schedule();
      }
    }
  }

  async function summarizeFrom(client: Client): Promise<void> {
    const status = await client.status();
    const { dead } = status.counts;
    const { tasks } =
      dead === 0
        ? { tasks: [] }
        : await client.list({ where: { status: ["dead"] }, limit: LETTERS });
    if (source.client() !== client) return;
    const since = deps.seenAt() ?? 0;
    const fresh = isVisible ? [] : tasks.filter(({ endedAt }) => Date.parse(endedAt ?? "") > since);
    // All of a full page are new: those behind it are most likely too.
    const unseen = fresh.length === LETTERS ? dead : fresh.length;
    const causes = causesOf(fresh.length > 0 ? fresh : tasks);
    const before = app.work.get();
    app.work.set(summarize(status, { unseen, causes }, limitsOf(app), before, now()));
    app.setContext("msgSys.hasDeadLetters", dead > 0);
  }

  const stop = source.listen({
    heard,
    fresh() {
      notBefore = 0;
      schedule();
    },
    lost() {
      app.work.set(null);
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  });

  return {
    lookedAtDead(visible) {
      if (!visible && !isVisible) return;
      isVisible = visible;
      deps.saveSeenAt(now());
      const work = app.work.get();
      if (work !== null && work.deadUnseen > 0) app.work.set({ ...work, deadUnseen: 0 });
    },
    dispose() {
      stop();
      runs.dispose();
      if (timer !== null) clearTimeout(timer);
    },
  };
}

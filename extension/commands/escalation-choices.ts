import { ESCALATIONS, type EscalationAction } from "../../shared/priority.ts";
import { highestLevelOf, leastRoleForLevel, type Role } from "../../shared/roles.ts";
import type { Say } from "../../shared/view/rows.ts";
import { levelWords } from "../views/words.ts";

/** One level to choose. `refusal`: why this user may not; null when they may. */
export interface LevelChoice {
  readonly level: number;
  readonly icon: string;
  readonly label: string;
  readonly refusal: string | null;
}

const ICONS: Readonly<Record<EscalationAction, string>> = {
  prioritize: "arrow-up",
  urgent: "flame",
  critical: "bell-dot",
};

/** Prioritize, Urgent and Critical above the present level; what the role may not is listed with what it needs. */
export function escalationChoices(lowestNow: number, role: Role, say: Say): readonly LevelChoice[] {
  return (Object.entries(ESCALATIONS) as [EscalationAction, number][])
    .filter(([, level]) => level > lowestNow)
    .map(([action, level]) => choice(level, ICONS[action], role, say));
}

/** Every level below the present one, the nearest first. Lowering needs the right to set the level that is there. */
export function loweringChoices(highestNow: number, role: Role, say: Say): readonly LevelChoice[] {
  return Array.from({ length: highestNow }, (_, at) => highestNow - 1 - at).map((level) => ({
    ...choice(level, "arrow-down", role, say),
    refusal: refusalOf(highestNow, role, say),
  }));
}

/** Every level, the highest first, to enqueue or run something at. */
export function levelChoices(role: Role, say: Say): readonly LevelChoice[] {
  return Array.from({ length: 11 }, (_, at) => 10 - at).map((level) =>
    choice(level, levelIcon(level), role, say),
  );
}

function levelIcon(level: number): string {
  if (level >= 8) return "arrow-up";
  return level >= 4 ? "dash" : "arrow-down";
}

function choice(level: number, icon: string, role: Role, say: Say): LevelChoice {
  return { level, icon, label: levelWords(level, say), refusal: refusalOf(level, role, say) };
}

function refusalOf(level: number, role: Role, say: Say): string | null {
  if (highestLevelOf(role) >= level) return null;
  return say("Needs role {needed}. You are {role}.", { needed: leastRoleForLevel(level), role });
}

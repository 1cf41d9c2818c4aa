/** Roles from the least to the most. Each may do all that those before it may. */
export const ROLES = ["Viewer", "Operator", "Manager", "Admin"] as const;
export type Role = (typeof ROLES)[number];

export const PERMISSIONS = [
  "view_tasks",
  "view_dashboard",
  "run_tasks",
  "prioritize_tasks",
  "urgent_tasks",
  "cancel_tasks",
  "critical_tasks",
  "manage_users",
] as const;
export type Permission = (typeof PERMISSIONS)[number];

/**
 * The least role of each permission. `prioritize_tasks` includes retry and redrive, `cancel_tasks` includes pause,
 * `manage_users` includes discard. An Operator may cancel tasks of their own without `cancel_tasks`.
 */
const LEAST_ROLE: Record<Permission, Role> = {
  view_tasks: "Viewer",
  view_dashboard: "Viewer",
  run_tasks: "Operator",
  prioritize_tasks: "Operator",
  urgent_tasks: "Manager",
  cancel_tasks: "Manager",
  critical_tasks: "Admin",
  manage_users: "Admin",
};

/** The highest level that a role may set on a task; -1: none. */
const HIGHEST_SETTABLE: Record<Role, number> = { Viewer: -1, Operator: 8, Manager: 9, Admin: 10 };

export function roleAtLeast(role: Role, least: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(least);
}

export function can(role: Role, permission: Permission): boolean {
  return roleAtLeast(role, LEAST_ROLE[permission]);
}

export function leastRoleFor(permission: Permission): Role {
  return LEAST_ROLE[permission];
}

export function highestLevelOf(role: Role): number {
  return HIGHEST_SETTABLE[role];
}

/** The least role that may set `level`. */
export function leastRoleForLevel(level: number): Role {
  return ROLES.find((role) => HIGHEST_SETTABLE[role] >= level) ?? "Admin";
}

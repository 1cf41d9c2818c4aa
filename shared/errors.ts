/**
 * Every failure a person or a script can meet, in one table: code → exit code of the CLI, message form, remedy, retryable.
 * Messages say what happened and to what; hints say what to do. `{name}` is filled from `details`.
 */
export const ERRORS = {
  "bad-usage": { exit: 2, retryable: false, message: "{what}", hint: "Run `msgsys --help`." },
  "bad-settings": {
    exit: 2,
    retryable: false,
    message: "{what}",
    hint: "Correct the setting {where}; `msgsys config` prints every setting with its source.",
  },
  "bad-config-file": {
    exit: 2,
    retryable: false,
    message: "{file}:{line}: {what}",
    hint: "Correct the file and try again; no task was lost.",
  },
  "already-running": {
    exit: 3,
    retryable: false,
    message: "A daemon already runs on {dataDir} (pid {pid}).",
    hint: "Use it as it is, or stop it with `msgsys down`.",
  },
  "data-directory-locked": {
    exit: 3,
    retryable: false,
    message: "Another process holds the data directory {dataDir} (pid {pid}).",
    hint: "Stop that process (`msgsys down`), or choose another directory with --data.",
  },
  "data-directory-unwritable": {
    exit: 2,
    retryable: false,
    message: "The data directory {dataDir} cannot be written: {what}.",
    hint: "Make it writable for this user, or choose another with --data.",
  },
  "data-directory-unreadable": {
    exit: 5,
    retryable: false,
    message: "The data directory {dataDir} cannot be read: {what}.",
    hint: "Ask its owner, or choose another with --data.",
  },
  "daemon-not-running": {
    exit: 4,
    retryable: true,
    message: "No daemon runs on {dataDir}.",
    hint: "Start one with `msgsys up --detach`.",
  },
  "daemon-not-started": {
    exit: 1,
    retryable: true,
    message: "The daemon ended during its start without saying why ({how}).",
    hint: "Its last words are in {log}, in daemon.out and daemon.log.",
  },
  "daemon-start-timed-out": {
    exit: 124,
    retryable: true,
    message: "The daemon was not ready within {timeoutMs} ms and was stopped again.",
    hint: "`msgsys logs --all` tells how far it came; --timeout of `msgsys up` gives it more time.",
  },
  "daemon-stop-timed-out": {
    exit: 124,
    retryable: true,
    message: "The daemon (pid {pid}) did not end within {timeoutMs} ms.",
    hint: "It still stops; `msgsys logs` tells what it waits for. Ending its process by force loses no task.",
  },
  "daemon-version-mismatch": {
    exit: 4,
    retryable: false,
    message: "The daemon speaks protocol {found}, this client needs {needed}.",
    hint: "Restart the daemon with `msgsys down` and `msgsys up --detach`.",
  },
  "connection-refused": {
    exit: 4,
    retryable: true,
    message: "Nothing answers at {url}.",
    hint: "Start the daemon with `msgsys up --detach`, or correct the address.",
  },
  "connection-lost": {
    exit: 4,
    retryable: true,
    message: "The connection to {url} was lost.",
    hint: "The client reconnects by itself; `msgsys doctor` says what is wrong.",
  },
  "tls-failed": {
    exit: 4,
    retryable: false,
    message: "The connection to {url} cannot be secured: {what}.",
    hint: "Name the server's certificate (the daemon: nats.tlsCert, a client: MSGSYS_TLS_CERT); tls:// needs a server that speaks TLS.",
  },
  "external-server-unreachable": {
    exit: 4,
    retryable: true,
    message: "No NATS server answers at {url}: {what}.",
    hint: "Start it, or correct the setting nats.url; without that setting the daemon starts a server of its own.",
  },
  "external-server-refused": {
    exit: 5,
    retryable: false,
    message: "The NATS server at {url} refused the daemon's key.",
    hint: "Let it know the public key {publicKey}, or name another seed file in nats.credsFile.",
  },
  "jetstream-missing": {
    exit: 2,
    retryable: false,
    message: "The NATS server at {url} offers the daemon no JetStream.",
    hint: "Turn it on there (`jetstream {}` in its configuration, and for the daemon's account), or correct the setting nats.url.",
  },
  "credentials-refused": {
    exit: 5,
    retryable: false,
    message: "The server refused the credentials of {user}.",
    hint: "Ask an Admin for new ones (`msgsys user rotate {user}`, or `user add` for who was removed), then name the file with --creds.",
  },
  "credentials-unreadable": {
    exit: 2,
    retryable: false,
    message: "The credentials file {file} cannot be used: {what}.",
    hint: "Name a seed file written by `msgsys user add` with --creds.",
  },
  "not-permitted": {
    exit: 5,
    retryable: false,
    message: "{user} ({role}) may not {act}.",
    hint: "It needs the role {needs} or higher; an Admin can change roles with `msgsys user role`.",
  },
  "unknown-task": {
    exit: 2,
    retryable: false,
    message: "No task is named {name}.",
    hint: "`msgsys queues --tasks` lists the names that this daemon knows; `msgsys status` tells of a configuration that could not be loaded.",
  },
  "unknown-pipeline": {
    exit: 2,
    retryable: false,
    message: "No pipeline is named {name}.",
    hint: "Known: {known}.",
  },
  "input-invalid": {
    exit: 2,
    retryable: false,
    message: "The input of {name} is not valid at {path}: {what}",
    hint: "Correct the input; nothing was enqueued.",
  },
  "input-not-json": {
    exit: 2,
    retryable: false,
    message: "The input of {name} is not JSON: {what}",
    hint: "Give plain JSON without cycles; nothing was enqueued.",
  },
  "payload-too-large": {
    exit: 2,
    retryable: false,
    message: "The input of {name} has {size} bytes, the limit is {limit}.",
    hint: "Pass a reference (a path, a key) instead of the data; nothing was enqueued.",
  },
  "result-too-large": {
    exit: 1,
    retryable: false,
    message: "The result of {name} has {size} bytes, the limit is {limit}.",
    hint: "Write the data to a file and return its path.",
  },
  "idempotency-conflict": {
    exit: 6,
    retryable: false,
    message: "The key {key} was used for a task with another input.",
    hint: "Use a new key, or send the same input.",
  },
  "task-not-found": {
    exit: 6,
    retryable: false,
    message: "There is no task {id}.",
    hint: "`msgsys list` shows the tasks; ended ones are kept as long as the audit keeps them.",
  },
  "run-not-found": {
    exit: 6,
    retryable: false,
    message: "There is no run {id}.",
    hint: "`msgsys list --runs` shows the runs.",
  },
  "task-not-waiting": {
    exit: 6,
    retryable: false,
    message: "The task {id} is {status}, not waiting.",
    hint: "Only a task that waits can change its priority.",
  },
  "task-not-in-state": {
    exit: 6,
    retryable: false,
    message: "The task {id} is {status}; {act} needs {needs}.",
    hint: "`msgsys show {id}` tells its history.",
  },
  "task-cancelled": {
    exit: 1,
    retryable: false,
    message: "The task {id} was cancelled.",
    hint: "`msgsys show {id}` tells by whom and why; enqueue it again if it is still wanted.",
  },
  "already-running-task": {
    exit: 6,
    retryable: false,
    message: "A worker took the task {id} just before.",
    hint: "It runs now; `msgsys cancel {id}` stops it.",
  },
  "nothing-to-undo": {
    exit: 6,
    retryable: false,
    message: "The task {id} has no priority change to undo.",
    hint: "`msgsys show {id}` lists its priority history.",
  },
  "queue-full": {
    exit: 1,
    retryable: true,
    message: "The broker holds as much as it may ({what}).",
    hint: "Let workers drain the queues or raise nats.maxFileStoreBytes; nothing was enqueued.",
  },
  "broker-unavailable": {
    exit: 4,
    retryable: true,
    message: "The broker does not answer: {what}",
    hint: "The daemon reconnects by itself; `msgsys doctor` says what is wrong.",
  },
  "stream-incompatible": {
    exit: 2,
    retryable: false,
    message: "The stream {stream} on the broker differs in {what}.",
    hint: "Use another prefix (setting nats.prefix), or remove the stream if nothing in it is needed.",
  },
  "nats-server-missing": {
    exit: 2,
    retryable: false,
    message: "No nats-server was found: {what}.",
    hint: "Install nats-server 2.12.1 or newer on PATH, or name one in nats.serverPath.",
  },
  "nats-server-too-old": {
    exit: 2,
    retryable: false,
    message: "nats-server {found} at {where} is too old; {needed} or newer is needed.",
    hint: "Upgrade it, or name another in nats.serverPath.",
  },
  "nats-server-failed": {
    exit: 1,
    retryable: true,
    message: "nats-server did not start: {what}.",
    hint: "Its log {log} tells more; `msgsys doctor` checks what it needs.",
  },
  "port-taken": {
    exit: 2,
    retryable: false,
    message: "Port {port} on {host} is taken.",
    hint: "Choose another {setting}, or {any} for any free port.",
  },
  "path-unusable": {
    exit: 1,
    retryable: false,
    message: "{path} cannot be used: {what}.",
    hint: "Check that it is there and that this user may use it.",
  },
  "disk-full": {
    exit: 1,
    retryable: true,
    message: "No space left for {what}.",
    hint: "Free space at {where}; work goes on by itself afterwards.",
  },
  "audit-store-corrupt": {
    exit: 2,
    retryable: false,
    message: "The audit database {file} is damaged: {what}.",
    hint: "A copy was kept at {copy}. Restore a backup with `msgsys restore`, or move the file away: a new one is filled from what the broker still holds.",
  },
  "audit-store-newer": {
    exit: 2,
    retryable: false,
    message: "The audit database {file} has schema {found}; this version knows {known}.",
    hint: "Use the newer msg_sys that wrote it, or another directory with --data; nothing was changed.",
  },
  "audit-store-unavailable": {
    exit: 1,
    retryable: true,
    message: "The audit database cannot be used now: {what}.",
    hint: "Tasks go on; the audit catches up by itself when the database can be used again.",
  },
  "lease-lost": {
    exit: 1,
    retryable: true,
    message: "The lease of task {id} (generation {generation}) was lost.",
    hint: "Another worker has it; this result was discarded.",
  },
  "handler-failed": {
    exit: 1,
    retryable: true,
    message: "{what}",
    hint: "`msgsys show {id}` has every attempt with its error.",
  },
  "timed-out": {
    exit: 1,
    retryable: true,
    message: "The task {id} took longer than {timeoutMs} ms.",
    hint: "Raise timeoutMs of the task, or make its work smaller.",
  },
  "wait-timed-out": {
    exit: 124,
    retryable: true,
    message: "{what} did not end within {timeoutMs} ms.",
    hint: "It goes on; `msgsys show` tells how it stands.",
  },
  "cls-folder-missing": {
    exit: 2,
    retryable: false,
    message: "The CLS folder {path} has no {what}.",
    hint: "Name a folder that holds reports/0031, daily_files and ref_files.",
  },
  "cls-file-unreadable": {
    exit: 1,
    retryable: false,
    message: "{file} cannot be read: {what}",
    hint: "Replace the file; it stays where it is and was not applied.",
  },
  "cls-store-unusable": {
    exit: 2,
    retryable: false,
    message: "The CLS store {file} cannot be used: {what}",
    hint: "Move the file away to begin a new one, or use the version of msg_sys that wrote it.",
  },
  "cls-undo-refused": {
    exit: 6,
    retryable: false,
    message: "{file} cannot be undone: {what}.",
    hint: "`msgsys cls files` lists the applied files and which of them can be undone.",
  },
  "cls-undo-needs-later": {
    exit: 6,
    retryable: false,
    message: "{file} cannot be undone by itself: {what}.",
    hint: "Undo the later files first, the last one first, or leave their keys as they are with --keep-later.",
  },
  "cls-file-unknown": {
    exit: 6,
    retryable: false,
    message: "No file applied from {root} {what}.",
    hint: "`msgsys cls files` lists them; a name, its id, or a part that no other name has will do.",
  },
  "cls-decision-refused": {
    exit: 6,
    retryable: false,
    message: "Row {row} of {file} cannot be decided on: {what}.",
    hint: "List the open rows again; the stored row may have changed since.",
  },
  "cls-phase-missing": {
    exit: 2,
    retryable: false,
    message: "The phase {phase} has no result for {root}: {what}",
    hint: "Run that phase on this folder first: `msgsys run cls_all --phase <phase> --root <folder>`.",
  },
  "cls-output-occupied": {
    exit: 2,
    retryable: false,
    message: "The output folder {path} holds other files ({what}).",
    hint: "Choose an empty or new folder, or one with a former export.",
  },
  "cls-rules-invalid": {
    exit: 2,
    retryable: false,
    message: "The rule file {file} is not valid: {what}",
    hint: "Correct the rule file.",
  },
  "checkout-failed": {
    exit: 1,
    retryable: false,
    message: "The Python checkout {path} failed: {what}",
    hint: "{remedy}",
  },
  "backup-failed": {
    exit: 1,
    retryable: true,
    message: "The backup {file} was not written: {what}.",
    hint: "The daemon writes it: choose a place that it may write and that has room; nothing else changed.",
  },
  "backup-invalid": {
    exit: 2,
    retryable: false,
    message: "{file} is no backup of msg_sys: {what}.",
    hint: "Name a file written by `msgsys backup`.",
  },
  "user-exists": {
    exit: 6,
    retryable: false,
    message: "The user {user} exists already.",
    hint: "Choose another name, or change the role with `msgsys user role`.",
  },
  "user-not-found": {
    exit: 6,
    retryable: false,
    message: "There is no user {user}.",
    hint: "`msgsys user list` shows the users.",
  },
  "last-admin": {
    exit: 6,
    retryable: false,
    message: "{user} is the last Admin.",
    hint: "Make another user Admin first.",
  },
  "dashboard-off": {
    exit: 2,
    retryable: false,
    message: "The dashboard is not served: {what}.",
    hint: "Correct the settings dashboard.enabled and dashboard.port, then restart the daemon.",
  },
  "source-not-found": {
    exit: 1,
    retryable: false,
    message: "No file of this workspace defines {task}.",
    hint: "Open the folder whose msgsys.config.ts defines it; the tasks of msg_sys itself are part of its package.",
  },
  "file-not-written": {
    exit: 1,
    retryable: false,
    message: "{file} could not be written: {what}",
    hint: "Choose another folder and save it again.",
  },
  "unparsable-message": {
    exit: 1,
    retryable: false,
    message: "A message on {subject} cannot be read: {what}",
    hint: "It was put into the dead letters as `invalid`.",
  },
  internal: {
    exit: 1,
    retryable: false,
    message: "{what}",
    hint: "This is a bug: please report it with the log.",
  },
} as const satisfies Record<
  string,
  { exit: number; retryable: boolean; message: string; hint: string }
>;

export type ErrorCode = keyof typeof ERRORS;

/** Values for the `{name}` places of a message and its hint. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** An error as it travels on the wire, is stored in the audit and is shown. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  readonly details?: ErrorDetails;
  /** Only of handler failures; never of refusals. */
  readonly stack?: string;
}

/** Fills `{name}` places; an unknown place stays readable as `?`. */
function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => String(details[name] ?? "?"));
}

/** The one error class of the project. `code` is searchable, `hint` says what to do, `cause` is what was caught. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  readonly hint: string;

  constructor(code: ErrorCode, details: ErrorDetails = {}, cause?: unknown) {
    const message = fill(ERRORS[code].message, details).replace(/([.!?])\.$/, "$1");
    super(message, cause === undefined ? undefined : { cause });
    this.name = "AppError";
    this.code = code;
    this.details = details;
    this.hint = fill(ERRORS[code].hint, details);
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }

  toWire(): WireError {
    return { code: this.code, message: this.message, hint: this.hint, details: this.details };
  }
}

/** An error that came over the wire, with its message as the sender worded it. */
export function fromWire(error: WireError): AppError {
  const back = new AppError(error.code in ERRORS ? error.code : "internal", {
    what: error.message,
    ...error.details,
  });
  Object.defineProperty(back, "message", { value: error.message });
  Object.defineProperty(back, "hint", { value: error.hint });
  return back;
}

/** Anything thrown, as an AppError. Used at boundaries only. Circular objects, `undefined` and strings are safe. */
export function fromUnknown(
  error: unknown,
  code: ErrorCode = "internal",
  details: ErrorDetails = {},
): AppError {
  if (error instanceof AppError) return error;
  const known = code === "internal" ? fromSystem(error) : null;
  return known ?? new AppError(code, { what: describe(error), ...details }, error);
}

/** What the system refused (a full disk, a path that is not there or not ours) is no defect; null for anything else. */
function fromSystem(error: unknown): AppError | null {
  const { code, path } = (error ?? {}) as { readonly code?: unknown; readonly path?: unknown };
  const what = describe(error);
  if (/\b(ENOSPC|EDQUOT)\b|no space left on device/.test(what)) {
    const where = path ?? /(?:^|\s)(\/[^\s:']+)/.exec(what)?.[1] ?? "the disk that it writes to";
    return new AppError("disk-full", { what: `a write (${what})`, where: String(where) }, error);
  }
  return typeof path === "string" && typeof code === "string" && /^E[A-Z]+$/.test(code)
    ? new AppError("path-unusable", { path, what }, error)
    : null;
}

/** One sentence for any thrown value. */
export function describe(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  if (typeof error === "string") return error;
  try {
    return JSON.stringify(error) ?? String(error);
  } catch {
    // Ignored: a circular or hostile object has no JSON; its type is all that can be said.
    return Object.prototype.toString.call(error);
  }
}

import { readFile } from "node:fs/promises";
import * as vscode from "vscode";
import { AppError, describe } from "../shared/errors.ts";
import { USER_NAME_PATTERN } from "../shared/subjects.ts";
import type { ConnectionProfile } from "./contributions.ts";
import type { Login } from "./daemon/login.ts";
import { parseSeed, userOfFile } from "./daemon/seed.ts";
import { isAddress, secretKey } from "./profiles.ts";
import { readSetting } from "./typed-api.ts";

/** What signing in needs of the window. */
export interface SignInDeps {
  readonly secrets: vscode.SecretStorage;
  /** The login or the place changed: connect anew. */
  changed(): void;
  /** Leaves the daemon and connects nowhere. */
  leave(): Promise<void>;
}

/** Asks for a daemon, if none is chosen, and for the credentials file; keeps the login in the secret storage. */
export async function signIn(deps: SignInDeps): Promise<void> {
  const name = await profileToSignIn();
  if (name === undefined) return;
  const profile = readSetting("msgSys.connection.profiles")[name];
  if (profile === undefined) return;
  const login = await askLogin(name);
  if (login === undefined) return;
  await deps.secrets.store(secretKey(profile.url), JSON.stringify(login));
  await chooseProfile(name);
  deps.changed();
}

/** Forgets the login of the chosen profile; the daemon goes on without this window. */
export async function signOut(deps: SignInDeps): Promise<void> {
  const name = readSetting("msgSys.connection.profile");
  const profile = readSetting("msgSys.connection.profiles")[name];
  if (profile === undefined) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        "The daemon of this machine knows you as the owner of its data directory; there is nothing to sign out of.",
      ),
    );
    return;
  }
  await deps.secrets.delete(secretKey(profile.url));
  await deps.leave();
}

interface ConnectionItem extends vscode.QuickPickItem {
  /** Empty: this machine; absent: a new one. */
  readonly name?: string;
}

/** Chooses this machine's daemon or a profile. */
export async function chooseConnection(deps: SignInDeps): Promise<void> {
  const picked = await pickConnection(true);
  if (picked === undefined) return;
  await chooseProfile(picked);
  deps.changed();
}

async function profileToSignIn(): Promise<string | undefined> {
  const chosen = readSetting("msgSys.connection.profile");
  return chosen === "" ? pickConnection(false) : chosen;
}

async function pickConnection(withLocal: boolean): Promise<string | undefined> {
  const profiles = readSetting("msgSys.connection.profiles");
  const present = readSetting("msgSys.connection.profile");
  const mark = (name: string) =>
    name === present ? { iconPath: new vscode.ThemeIcon("check") } : {};
  const local: ConnectionItem[] = withLocal
    ? [
        {
          label: vscode.l10n.t("This Machine"),
          ...mark(""),
          description: vscode.l10n.t("the daemon that all windows of this user share"),
          name: "",
        },
      ]
    : [];
  const known = Object.entries(profiles).map(
    ([name, { url }]): ConnectionItem => ({
      label: name,
      ...mark(name),
      description: url,
      name,
    }),
  );
  const items: ConnectionItem[] = [
    ...local,
    ...known,
    { label: vscode.l10n.t("Add a Connection…"), iconPath: new vscode.ThemeIcon("add") },
  ];
  const picked = await vscode.window.showQuickPick(items, {
    title: vscode.l10n.t("Choose the daemon to connect to"),
    matchOnDescription: true,
  });
  if (picked === undefined) return undefined;
  return picked.name ?? addProfile(profiles);
}

async function addProfile(
  profiles: Readonly<Record<string, ConnectionProfile>>,
): Promise<string | undefined> {
  const title = vscode.l10n.t("Add a Connection");
  const name = await vscode.window.showInputBox({
    title: `${title} (1/2)`,
    prompt: vscode.l10n.t("A name for it, for example production"),
    validateInput: (text) =>
      /^[\w][\w .-]{0,40}$/.test(text.trim()) && !Object.hasOwn(profiles, text.trim())
        ? null
        : vscode.l10n.t("A new name of letters, digits, spaces, dots and hyphens"),
  });
  if (name === undefined) return undefined;
  const url = await vscode.window.showInputBox({
    title: `${title} (2/2)`,
    prompt: vscode.l10n.t("Address of its NATS server, as the machine of this window reaches it"),
    placeHolder: "tls://host:4222",
    validateInput: (text) =>
      isAddress(text) ? null : vscode.l10n.t("An address such as tls://host:4222"),
  });
  if (url === undefined) return undefined;
  await update("msgSys.connection.profiles", {
    ...profiles,
    [name.trim()]: { url: url.trim() },
  });
  return name.trim();
}

async function askLogin(profile: string): Promise<Login | undefined> {
  const title = vscode.l10n.t("Sign in to {0}", profile);
  const file = vscode.l10n.t("Credentials File…");
  const paste = vscode.l10n.t("Paste the Seed…");
  const way = await vscode.window.showQuickPick(
    [
      { label: file, detail: vscode.l10n.t("written by `msgsys user add`, for example ada.nk") },
      { label: paste, detail: vscode.l10n.t("58 letters that begin with SU") },
    ],
    { title },
  );
  if (way === undefined) return undefined;
  return way.label === file ? loginFromFile(title) : loginFromPaste(title);
}

async function loginFromFile(title: string): Promise<Login | undefined> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      title,
      openLabel: vscode.l10n.t("Sign In"),
      filters: { [vscode.l10n.t("Credentials")]: ["nk", "creds", "seed"], "*": ["*"] },
    })) ?? [];
  if (uri === undefined) return undefined;
  let seed: string;
  try {
    seed = parseSeed(await readFile(uri.fsPath, "utf8"));
  } catch (error) {
    throw new AppError(
      "credentials-unreadable",
      { file: uri.fsPath, what: describe(error) },
      error,
    );
  }
  const user = await askUser(title, userOfFile(uri.fsPath));
  return user === undefined ? undefined : { user, seed };
}

async function loginFromPaste(title: string): Promise<Login | undefined> {
  const text = await vscode.window.showInputBox({
    title,
    password: true,
    prompt: vscode.l10n.t("The seed; it is kept in VS Code's secret storage alone"),
    validateInput: (typed) => (isSeed(typed) ? null : vscode.l10n.t("This is no seed of a user")),
  });
  if (text === undefined) return undefined;
  const user = await askUser(title, null);
  return user === undefined ? undefined : { user, seed: parseSeed(text) };
}

function isSeed(text: string): boolean {
  try {
    parseSeed(text);
    return true;
  } catch {
    // Ignored: that it is none is the answer.
    return false;
  }
}

async function askUser(title: string, guess: string | null): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title,
    prompt: vscode.l10n.t("Your user name there"),
    value: guess ?? "",
    validateInput: (text) =>
      USER_NAME_PATTERN.test(text)
        ? null
        : vscode.l10n.t("Lower-case letters, digits, - and _, at most 32"),
  });
}

/** Where the choice was made before it is changed: a workspace may have a daemon of its own. */
async function chooseProfile(name: string): Promise<void> {
  if (readSetting("msgSys.connection.profile") === name) return;
  await update("msgSys.connection.profile", name);
}

async function update(
  key: "msgSys.connection.profile" | "msgSys.connection.profiles",
  value: unknown,
) {
  const configuration = vscode.workspace.getConfiguration();
  const inWorkspace =
    key === "msgSys.connection.profile" && configuration.inspect(key)?.workspaceValue !== undefined;
  const target = inWorkspace
    ? vscode.ConfigurationTarget.Workspace
    : vscode.ConfigurationTarget.Global;
  await configuration.update(key, value, target);
}

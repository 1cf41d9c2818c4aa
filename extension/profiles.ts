import { AppError } from "../shared/errors.ts";
import type { ConnectionProfile } from "./contributions.ts";
import type { Place } from "./daemon/connection.ts";

/** The settings that say which daemon. */
export interface PlaceSettings {
  readonly profile: string;
  readonly profiles: Readonly<Record<string, ConnectionProfile>>;
  /** Absolute; of this machine's daemon. */
  readonly dataDir: string;
  /** Certificate of this machine's daemon, when its server is encrypted. */
  readonly localCertificate: string | undefined;
}

const PREFIX = /^[a-z][a-z0-9]{0,15}$/;
const URL_START = /^(?:nats|tls|ws|wss):\/\/\S+$|^[\w.[\]:-]+$/;

/** The daemon that the settings choose. Throws `bad-settings` for a profile that is not there or not right. */
export function placeOf(settings: PlaceSettings): Place {
  const { profile: name, profiles, dataDir, localCertificate } = settings;
  if (name === "")
    return {
      kind: "local",
      dataDir,
      ...(localCertificate === undefined ? {} : { tlsCertificate: localCertificate }),
    };
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile === undefined)
    throw wrong(`No connection profile is named ${name}.`, "msgSys.connection.profile");
  const { url, prefix = "ms", tlsCertificate } = profile;
  const where = `msgSys.connection.profiles, ${name}`;
  if (typeof url !== "string" || !isAddress(url))
    throw wrong(`The profile ${name} has no address that can be used.`, where);
  if (!PREFIX.test(prefix)) throw wrong(`The profile ${name} has a wrong prefix.`, where);
  return {
    kind: "remote",
    url,
    prefix,
    ...(tlsCertificate ? { tlsCertificate } : {}),
  };
}

/** One address, or several with commas between them. */
export function isAddress(text: string): boolean {
  return text.trim() !== "" && text.split(",").every((one) => URL_START.test(one.trim()));
}

function wrong(what: string, where: string): AppError {
  return new AppError("bad-settings", { what, where });
}

/**
 * Where the seed for an address is kept. The address is a part of it: a profile that is changed to name another server
 * must not hand that server a login that was made for the first.
 */
export function secretKey(url: string): string {
  return `msgSys.login:${url.toLowerCase()}`;
}

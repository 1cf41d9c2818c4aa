import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { AppError, describe } from "../../shared/errors.ts";
import type { Settings } from "../../shared/settings.ts";
import { lastWords, type ServerFiles } from "./server-files.ts";

/** `nats-server-failed`, with what happened and where its log is. */
export function serverFailed(files: ServerFiles, what: string, cause?: unknown): AppError {
  return new AppError("nats-server-failed", { what, log: files.log }, cause);
}

/** `port-taken`, with the setting to change and its value for any free port. */
function portTaken(
  host: string,
  port: number,
  setting: "nats.port" | "nats.httpPort",
  cause: unknown,
): AppError {
  const any = setting === "nats.port" ? 0 : -1;
  return new AppError("port-taken", { host, port, setting, any }, cause);
}

/**
 * A fixed port that another program listens on is told as such (`port-taken`), an address that this machine does not
 * have as `bad-settings`, before anything is started.
 */
export async function refuseTakenPort(host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? portTaken(host, port, "nats.port", error)
          : new AppError(
              "bad-settings",
              {
                what: `nats-server cannot listen on ${host}:${port} (${describe(error)}).`,
                where: "nats.host and nats.port",
              },
              error,
            ),
      ),
    );
    probe.listen(port, host.replace(/^\[|\]$/g, ""), () => probe.close(() => resolve()));
  });
}

/** Certificate and key that nats-server would refuse in the words of its libraries are told by their settings. */
export function refuseUnusableTls(settings: Pick<Settings["nats"], "tlsCert" | "tlsKey">): void {
  const { tlsCert, tlsKey } = settings;
  if (tlsCert === undefined || tlsKey === undefined) return;
  const certificate = readPem("nats.tlsCert", tlsCert, (pem) => new X509Certificate(pem));
  const key = readPem("nats.tlsKey", tlsKey, createPrivateKey);
  if (certificate.checkPrivateKey(key)) return;
  throw new AppError("bad-settings", {
    what: `The key ${tlsKey} does not belong to the certificate ${tlsCert}.`,
    where: "nats.tlsCert and nats.tlsKey",
  });
}

function readPem<T>(where: string, file: string, read: (pem: Buffer) => T): T {
  try {
    return read(readFileSync(file));
  } catch (error) {
    const what = `${file} cannot be used: ${describe(error)}.`;
    throw new AppError("bad-settings", { what, where }, error);
  }
}

/** Why a server that did not become ready did not, from what it said since `logFromByte`. */
export async function whyNotStarted(
  settings: Pick<Settings["nats"], "host" | "port" | "httpPort">,
  files: ServerFiles,
  logFromByte: number,
  error: unknown,
): Promise<AppError> {
  if (error instanceof AppError && error.code !== "internal") return error;
  const words = await lastWords(files, logFromByte);
  if (/address already in use/.test(words)) {
    const { host, port, httpPort } = settings;
    return words.includes(`:${httpPort}:`)
      ? portTaken(host, httpPort, "nats.httpPort", error)
      : portTaken(host, port, "nats.port", error);
  }
  return serverFailed(files, words === "" ? describe(error) : words, error);
}

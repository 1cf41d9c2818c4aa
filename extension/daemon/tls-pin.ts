import { readFileSync } from "node:fs";
import type { ConnectionOptions, PeerCertificate } from "node:tls";

/** What the NATS client hands to Node for an encrypted connection. */
export type TlsPin = Pick<ConnectionOptions, "checkServerIdentity"> & {
  readonly ca: string;
  readonly allowPartialTrustChain: true;
};

/**
 * Exactly the certificate of this file is accepted, whatever host name it is for: no authority signed it, and the address
 * is often another than the one it was issued for. Throws the system's error when the file cannot be read.
 */
export function pinnedTls(certFile: string): TlsPin {
  const pem = readFileSync(certFile, "utf8");
  const begin = pem.indexOf("-----BEGIN CERTIFICATE-----");
  const own = pem.slice(begin + 27, pem.indexOf("-----END CERTIFICATE-----")).replace(/\s/g, "");
  return {
    ca: pem,
    allowPartialTrustChain: true,
    checkServerIdentity: (_host: string, cert: PeerCertificate) =>
      cert.raw.toString("base64") === own
        ? undefined
        : new Error(`the server's certificate is not that of ${certFile}`),
  };
}

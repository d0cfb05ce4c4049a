import type { PeerCertificate, TLSSocket } from "node:tls";
import { escapeText } from "../../log/text.ts";

/** What TLS shows of a server. Texts are escaped. */
export interface TlsFacts {
  /** `TLSv1.3`, say. */
  readonly version: string;
  readonly cipher: string;
  readonly subject: string;
  readonly issuer: string;
  /** ISO. */
  readonly validTo: string | undefined;
  /** Undefined: verified; else why not. */
  readonly unverified: string | undefined;
}

/** Of a socket behind its handshake. */
export function tlsFacts(socket: TLSSocket): TlsFacts {
  // Typed as if it were always there; without one it is an empty object.
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  const { authorized, authorizationError } = socket;
  const validTo = Date.parse(certificate.valid_to ?? "");
  return {
    version: socket.getProtocol() ?? "unknown",
    cipher: socket.getCipher().standardName,
    subject: nameIn(certificate.subject),
    issuer: nameIn(certificate.issuer),
    validTo: Number.isNaN(validTo) ? undefined : new Date(validTo).toISOString(),
    unverified: authorized ? undefined : escapeText(codeIn(authorizationError)),
  };
}

/** Node says an Error, and has said a text. */
function codeIn(error: unknown): string {
  if (error instanceof Error) return "code" in error && typeof error.code === "string" ? error.code : error.message;
  return typeof error === "string" ? error : "not verified";
}

function nameIn(name: Readonly<Record<string, unknown>> | undefined): string {
  if (name === undefined) return "none";
  const { CN, O } = name;
  const text = [CN, O].find((one): one is string => typeof one === "string");
  return escapeText(text ?? Object.values(name).join(", "));
}

import type { UnableReason } from "../../storage/witness.ts";
import { escapeText } from "../../log/text.ts";

/** Why a server can't be followed, as a sentence says it. `isTls`: TLS is spoken with it. */
export function unableText(reason: UnableReason, storage: string, isTls: boolean): string {
  switch (reason) {
    case "authentication":
      return "the server wants a password, which this tool has not";
    case "tls":
      return `the server accepts and says nothing: ${ungreeted(isTls)}`;
    case "protocol":
      return "the server announces a protocol that is not known, or that has no iteration";
    case "family":
      return "the server is of another family than before";
    case "no-iteration":
      return "the storage can't be read by iteration";
    case "no-storage":
      return `the server has no storage ${escapeText(storage)}`;
    default:
      return reason satisfies never;
  }
}

/** What it may be where a server that has accepted has not greeted. */
export function ungreeted(isTls: boolean): string {
  return isTls
    ? "it may want a client's certificate (--tls-certificate, --tls-key)"
    : "it may speak TLS (try --tls, or --tls-ca)";
}

/** OpenSSL's, where the answer to a TLS handshake is no TLS: a ZEO server's greeting, say. */
export const SPEAKS_NO_TLS = "ERR_SSL_WRONG_VERSION_NUMBER";

const CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was reset",
  ETIMEDOUT: "no answer",
  ENOTFOUND: "there is no such name",
  EAI_AGAIN: "the name can't be resolved now",
  ENOENT: "there is no such socket",
  EACCES: "no permission",
  EHOSTUNREACH: "there is no way to that host",
  ended: "the server has ended the connection",
  closed: "the server has closed the connection",
  silent: "the server says nothing",
  unanswered: "the server does not answer",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate names another host (see --tls-name)",
  CERT_HAS_EXPIRED: "the certificate has expired",
  [SPEAKS_NO_TLS]: "the server does not speak TLS",
  EPROTO: "the TLS handshake failed",
};

const OF_UNKNOWN = [
  "the certificate's authority is not known (name it with --tls-ca)",
  "the certificate is of another authority than those that --tls-ca names",
] as const;

/** Why a certificate is not to be trusted: where nothing was named that is, and where something was. */
const UNTRUSTED: Readonly<Record<string, readonly [string, string]>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: [
    "the certificate is self-signed (name it with --tls-ca)",
    "the certificate is self-signed, and not the one that --tls-ca names: was it renewed?",
  ],
  SELF_SIGNED_CERT_IN_CHAIN: OF_UNKNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: OF_UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: OF_UNKNOWN,
};

/** What is known of a connection that is not there, beside the reason. */
export interface Circumstances {
  /** What may be behind it, where the server has not greeted. */
  readonly perhaps?: string | undefined;
  /** TLS is spoken, and --tls-ca names who is trusted. */
  readonly isCaNamed?: boolean;
}

/** Why a connection is not there, as a sentence says it; with the code, for whoever looks that up, and what may be behind it. */
export function downText(reason: string, { perhaps, isCaNamed = false }: Circumstances = {}): string {
  const [unnamed, named] = (Object.hasOwn(UNTRUSTED, reason) ? UNTRUSTED[reason] : undefined) ?? [];
  const known = Object.hasOwn(CODES, reason) ? CODES[reason] : isCaNamed ? named : unnamed;
  const text = known === undefined ? escapeText(reason) : `${known} (${reason})`;
  return perhaps === undefined ? text : `${text} before it has greeted: ${perhaps}`;
}

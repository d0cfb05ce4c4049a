import type { EndCode as LedgerEndCode } from "../ledger/state.ts";
import { ProtocolError, type ProtocolErrorCode } from "../wire/errors.ts";

// Every reason for which the proxy itself ends a session: one code each, whose fault it is, and how loud it is told.
// docs/configuration.md has the same table for people; a test holds it against this one.

export type Fault = "client" | "server" | "proxy";

/** Whose bytes they were. */
export type Sender = Exclude<Fault, "proxy">;

/** What the guard before a client's socket refuses: always a bug of the proxy. */
export type GuardCode = "guard-not-growing" | "guard-own-commit" | "guard-before-register" | "guard-inside-finish";

/** Stable, for logs, counters and programs. */
export type EndCode =
  | LedgerEndCode
  | GuardCode
  | ProtocolErrorCode
  | "invalidation-inside-finish"
  | "client-too-slow"
  | "not-registered"
  | "memory-exhausted"
  | "truncated-frame"
  | "question-refused"
  | "server-changed"
  | "unknown-protocol"
  | "unknown-dialect"
  | "internal-error";

interface Ending {
  /** `sender`: whoever sent the bytes. */
  readonly fault: Fault | "sender";
  /**
   * `verify`: nobody's bytes are wrong; the client connects again and verifies its cache. `hourly`: as an error, but at most
   * once an hour for each upstream: anybody who can connect can bring it about, as often as he likes.
   */
  readonly told: "verify" | "error" | "hourly";
}

export const ENDS = {
  "incomplete-undo": { fault: "server", told: "verify" },
  "invalidation-out-of-order": { fault: "server", told: "verify" },
  "invalidation-inside-finish": { fault: "server", told: "verify" },
  "copied-history": { fault: "client", told: "verify" },
  "unknown-commit": { fault: "server", told: "verify" },
  "unread-commit": { fault: "server", told: "verify" },
  "reply-too-early": { fault: "server", told: "verify" },
  "memory-exhausted": { fault: "client", told: "verify" },
  "too-far-behind": { fault: "client", told: "verify" },
  "database-changed": { fault: "server", told: "verify" },
  "server-changed": { fault: "server", told: "verify" },
  "client-too-slow": { fault: "client", told: "error" },
  "frame-too-long": { fault: "sender", told: "hourly" },
  "message-too-long": { fault: "sender", told: "hourly" },
  "not-registered": { fault: "client", told: "hourly" },
  "truncated-frame": { fault: "sender", told: "hourly" },
  "bad-pickle": { fault: "sender", told: "hourly" },
  "bad-msgpack": { fault: "sender", told: "hourly" },
  "bad-message": { fault: "sender", told: "hourly" },
  "bad-store": { fault: "sender", told: "hourly" },
  "id-in-use": { fault: "sender", told: "hourly" },
  "too-many-calls": { fault: "sender", told: "hourly" },
  "one-way-call": { fault: "sender", told: "hourly" },
  "call-before-register": { fault: "sender", told: "hourly" },
  "invalidation-before-register": { fault: "sender", told: "hourly" },
  "question-refused": { fault: "server", told: "error" },
  "unknown-protocol": { fault: "sender", told: "hourly" },
  "unknown-dialect": { fault: "server", told: "error" },
  "commit-out-of-order": { fault: "proxy", told: "error" },
  "guard-not-growing": { fault: "proxy", told: "error" },
  "guard-own-commit": { fault: "proxy", told: "error" },
  "guard-before-register": { fault: "proxy", told: "error" },
  "guard-inside-finish": { fault: "proxy", told: "error" },
  "internal-error": { fault: "proxy", told: "error" },
} as const satisfies Readonly<Record<EndCode, Ending>>;

/** Those whose fault depends on who sent the bytes. */
type SenderCode = { [C in EndCode]: (typeof ENDS)[C]["fault"] extends "sender" ? C : never }[EndCode];

/** Why the proxy itself ended a session. */
export interface SessionEnd {
  readonly code: EndCode;
  readonly fault: Fault;
  /** For people; never payload. */
  readonly detail?: string;
  /** Of the stream at fault, in bytes. */
  readonly offset?: number;
  readonly expected?: string;
  /** An error that nobody has foreseen. */
  readonly cause?: unknown;
}

/** What else there is to say of an end. */
type Facts = Pick<SessionEnd, "offset" | "expected" | "cause">;

/** `sender`: who sent the bytes. */
export function sessionEnd(code: SenderCode, detail: string, rest: Facts & { readonly sender: Sender }): SessionEnd;
export function sessionEnd(code: Exclude<EndCode, SenderCode>, detail?: string, rest?: Facts): SessionEnd;
export function sessionEnd(
  code: EndCode,
  detail?: string,
  { sender = "server", ...facts }: Facts & { readonly sender?: Sender } = {},
): SessionEnd {
  const { fault } = ENDS[code];
  return { code, fault: fault === "sender" ? sender : fault, ...(detail !== undefined && { detail }), ...facts };
}

/**
 * What an error that was thrown while that end's bytes were worked on leads to. `payloadOffset`: where in its stream the
 * payload is, if that is known.
 */
export function endBy(error: unknown, sender: Sender, payloadOffset?: number): SessionEnd {
  if (!(error instanceof ProtocolError)) return sessionEnd("internal-error", "an unexpected error", { cause: error });
  const { code, expected, got } = error;
  const offset = payloadOffset === undefined ? {} : { offset: payloadOffset + error.offset };
  return sessionEnd(code, got, { sender, ...offset, expected });
}

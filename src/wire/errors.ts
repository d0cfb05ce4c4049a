/** Stable, for logs and programs; docs/configuration.md explains each. */
export type ProtocolErrorCode =
  | "frame-too-long"
  | "message-too-long"
  | "bad-pickle"
  | "bad-msgpack"
  | "bad-message"
  | "bad-store"
  | "id-in-use"
  | "too-many-calls"
  | "one-way-call"
  /** A call that must not be sent before `register` is answered. */
  | "call-before-register"
  | "invalidation-before-register";

/** What a peer sent that it must not send. The only error that reading bytes from the network may raise. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolErrorCode;
  /** Where in the frame's payload, in bytes. */
  readonly offset: number;
  /** What would have been right there. */
  readonly expected: string;
  /** What stood there; never payload text. */
  readonly got: string;

  constructor(code: ProtocolErrorCode, offset: number, expected: string, got: string) {
    super(`${code} at offset ${offset}: expected ${expected}, got ${got}`);
    this.code = code;
    this.offset = offset;
    this.expected = expected;
    this.got = got;
  }
}

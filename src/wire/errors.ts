/** What a peer sent that it must not send. The only error that reading bytes from the network may raise. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  /** Stable, for logs and programs: `frame-too-long`, `bad-pickle`, `bad-msgpack`, `bad-handshake`, ... */
  readonly code: string;
  /** Where in the frame's payload, in bytes. */
  readonly offset: number;
  /** What would have been right there. */
  readonly expected: string;
  /** What stood there; never payload text. */
  readonly got: string;

  constructor(code: string, offset: number, expected: string, got: string) {
    super(`${code} at offset ${offset}: expected ${expected}, got ${got}`);
    this.code = code;
    this.offset = offset;
    this.expected = expected;
    this.got = got;
  }
}

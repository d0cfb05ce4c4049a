import type { RawReason } from "../happening/happening.ts";
import { LENGTH_BYTES } from "../wire/frame.ts";
import { MAX_HANDSHAKE_BYTES, protocolNamed, RUOK, TLS_RECORD, type Protocol } from "../wire/handshake.ts";

/** Nobody says more before the other side has named its protocol; and no frame before `register` is larger. */
export const MAX_EARLY_BYTES = 64 * 1024;

/** Who has closed its half, and has not registered, is waited for no longer: nearly always it has closed all. */
export const ENDED_MS = 900;

/** What the bytes of one side lead to. */
export interface HandshakeStep {
  readonly toServer?: Buffer;
  readonly toClient?: Buffer;
  /** Both sides have spoken, and this is the protocol in force; the rest is what came behind the names. */
  readonly protocol?: Protocol;
  readonly clientRest?: Buffer | undefined;
  readonly serverRest?: Buffer | undefined;
  /** Bytes of the names' frames. */
  readonly clientStart?: number;
  readonly serverStart?: number;
  /** This can't be repaired; everything read so far is in `toServer` and `toClient`. */
  readonly raw?: RawReason;
  /** That is so by the server's greeting, though the client has spoken last: it has answered with the same name. */
  readonly isGreeting?: true;
}

/** The first frame of each side: names of protocols. Each is passed on as soon as it is whole. */
export class Handshake {
  #server: Buffer = Buffer.alloc(0);
  #client: Buffer = Buffer.alloc(0);
  #clientStart = 0;
  #serverStart = 0;
  #protocol: Protocol | undefined;
  /** The frame with the server's name. */
  #greeting: Buffer | undefined;

  /** Has the client said something behind its name that waits for the server's greeting? */
  get keepsClient(): boolean {
    return this.#protocol !== undefined && this.#client.length > 0;
  }

  /** Memory of what is kept, in bytes. */
  get keptBytes(): number {
    return this.#server.length + this.#client.length;
  }

  server(chunk: Buffer): HandshakeStep {
    this.#server = Buffer.concat([this.#server, chunk]);
    if (this.#serverStart > 0) return this.#server.length > MAX_EARLY_BYTES ? this.#raw("unknown-protocol") : {};
    const frame = firstFrame(this.#server);
    if (frame === "more") return {};
    if (frame === "other") return this.#raw("unknown-protocol");
    this.#greeting = frame;
    this.#serverStart = frame.length;
    this.#server = this.#server.subarray(frame.length);
    return this.#done({ toClient: frame });
  }

  client(chunk: Buffer): HandshakeStep {
    this.#client = Buffer.concat([this.#client, chunk]);
    if (this.#protocol !== undefined) return this.#client.length > MAX_EARLY_BYTES ? this.#raw("unknown-protocol") : {};
    if (this.#client[0] === TLS_RECORD) return this.#raw("tls");
    const frame = firstFrame(this.#client);
    if (frame === "more") return {};
    if (frame === "other") return this.#raw("unknown-protocol");
    const name = frame.subarray(LENGTH_BYTES);
    if (name.toString("latin1") === RUOK) return this.#raw("ruok");
    this.#protocol = protocolNamed(name);
    if (this.#protocol === undefined) {
      const step = this.#raw("unknown-protocol");
      return this.#greeting?.equals(frame) === true ? { ...step, isGreeting: true } : step;
    }
    this.#clientStart = frame.length;
    this.#client = this.#client.subarray(frame.length);
    return this.#done({ toServer: frame });
  }

  #done(step: HandshakeStep): HandshakeStep {
    if (this.#serverStart === 0 || this.#protocol === undefined) return step;
    return {
      ...step,
      protocol: this.#protocol,
      clientStart: this.#clientStart,
      serverStart: this.#serverStart,
      clientRest: rest(this.#client),
      serverRest: rest(this.#server),
    };
  }

  #raw(reason: RawReason): HandshakeStep {
    const toClient = rest(this.#server);
    const toServer = rest(this.#client);
    return { raw: reason, ...(toServer && { toServer }), ...(toClient && { toClient }) };
  }
}

function rest(bytes: Buffer): Buffer | undefined {
  return bytes.length > 0 ? bytes : undefined;
}

/** `other`: no frame with a short name in it. */
function firstFrame(bytes: Buffer): Buffer | "more" | "other" {
  if (bytes.length < LENGTH_BYTES) return "more";
  const length = bytes.readUInt32BE(0);
  if (length > MAX_HANDSHAKE_BYTES || length === 0) return "other";
  return bytes.length < LENGTH_BYTES + length ? "more" : bytes.subarray(0, LENGTH_BYTES + length);
}

import { TLSSocket } from "node:tls";
import { codeOf } from "../../net/system-error.ts";
import { LENGTH_BYTES } from "../../wire/frame.ts";
import { MAX_HANDSHAKE_BYTES, protocolNamed, type Protocol } from "../../wire/handshake.ts";
import { dialTarget, type TlsClient } from "../dial.ts";
import type { Target } from "../target.ts";
import { tlsFacts, type TlsFacts } from "./tls-facts.ts";

/** What is found at an address before anything is said to it. */
export type Look =
  | { readonly kind: "unreachable"; readonly reason: string }
  /** It accepts and says nothing, and speaks no TLS either. */
  | { readonly kind: "silent" }
  /** It says something that is no ZEO server's greeting. */
  | { readonly kind: "foreign" }
  /** It speaks TLS, and its certificate is not one to be trusted: `reason` is what OpenSSL calls that, or Node of a name. */
  | { readonly kind: "untrusted"; readonly tls: TlsFacts; readonly reason: string }
  /** It speaks TLS, and no more was to be had: it wants a client's certificate, say. */
  | { readonly kind: "closed-tls"; readonly tls: TlsFacts; readonly reason: string }
  | Greeted;

export interface Greeted {
  readonly kind: "zeo";
  /** The newest protocol that it speaks, */
  readonly announced: string;
  /** if that is known here. */
  readonly protocol: Protocol | undefined;
  readonly tls: TlsFacts | undefined;
  /** Until the connection was there, with TLS its handshake too; */
  readonly connectMs: number;
  /** and from then until it had greeted. */
  readonly greetMs: number;
}

/** Who says nothing for so long waits for its client to speak: TLS. */
const GRACE_MS = 1_000;
/** A name such as `Z5`. */
const NAME = /^[A-Z]\d{1,6}$/;

/**
 * Connects and listens. With `tls` it speaks TLS at once; without, where the server is silent, and then whatever its
 * certificate is.
 */
export async function look(target: Target, tls: TlsClient | undefined, timeoutMs: number): Promise<Look> {
  if (tls !== undefined) return listen(target, tls, timeoutMs, timeoutMs);
  const plain = await listen(target, undefined, timeoutMs, Math.min(GRACE_MS, timeoutMs));
  if (plain.kind !== "silent") return plain;
  const secure = await listen(target, { verify: false }, timeoutMs, timeoutMs);
  // Perhaps it is only slow to greet.
  if (secure.kind === "unreachable") return listen(target, undefined, timeoutMs, timeoutMs);
  return secure;
}

function listen(target: Target, tls: TlsClient | undefined, connectMs: number, greetMs: number): Promise<Look> {
  return new Promise((resolve) => {
    // Whoever it is, so that it can be told who; it is asked for nothing before that is known.
    const { socket, ready } = dialTarget(target, tls && { ...tls, verify: false });
    const begun = performance.now();
    let connected: number | undefined;
    let facts: TlsFacts | undefined;
    let bytes = Buffer.alloc(0);
    let timer = setTimeout(() => end({ kind: "unreachable", reason: "ETIMEDOUT" }), connectMs);
    const end = (found: Look): void => {
      clearTimeout(timer);
      // What comes of the end is no reason.
      resolve(found);
      socket.destroy();
    };
    const failed = (reason: string): void => {
      if (facts !== undefined) end({ kind: "closed-tls", tls: facts, reason });
      else if (bytes.length > 0) end({ kind: "foreign" });
      else end({ kind: "unreachable", reason });
    };
    socket.on("error", (error) => failed(codeOf(error) === "unknown" ? error.message : codeOf(error)));
    socket.on("end", () => failed("ended"));
    socket.on("close", () => failed("closed"));
    socket.once(ready, () => {
      clearTimeout(timer);
      connected = performance.now();
      if (socket instanceof TLSSocket) facts = tlsFacts(socket);
      if (tls?.verify === true && facts?.unverified !== undefined) {
        end({ kind: "untrusted", tls: facts, reason: facts.unverified });
        return;
      }
      timer = setTimeout(() => {
        if (facts !== undefined) end({ kind: "closed-tls", tls: facts, reason: "silent" });
        else end(bytes.length > 0 ? { kind: "foreign" } : { kind: "silent" });
      }, greetMs);
    });
    socket.on("data", (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const name = greetingIn(bytes);
      if (name === undefined) return;
      if (name === "" || connected === undefined) {
        end({ kind: "foreign" });
        return;
      }
      end({
        kind: "zeo",
        announced: name,
        protocol: protocolNamed(Buffer.from(name)),
        tls: facts,
        connectMs: connected - begun,
        greetMs: performance.now() - connected,
      });
    });
  });
}

/** Undefined: more is needed; empty: it is none. */
function greetingIn(bytes: Buffer): string | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const length = bytes.readUInt32BE(0);
  if (length === 0 || length > MAX_HANDSHAKE_BYTES) return "";
  if (bytes.length < LENGTH_BYTES + length) return undefined;
  const name = bytes.toString("latin1", LENGTH_BYTES, LENGTH_BYTES + length);
  return NAME.test(name) ? name : "";
}

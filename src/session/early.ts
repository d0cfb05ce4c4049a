import { registerArg } from "../wire/arguments.ts";
import type { Codec, Envelope } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import type { FrameHandler, Verdict } from "../wire/frame.ts";
import { INVALIDATE, methodNamed, REPLY } from "../wire/methods.ts";
import type { Calls } from "./calls.ts";
import type { Connection } from "./connection.ts";
import { isAnswered, mustBeAnswered, tooShort } from "./heads.ts";
import { FROM_SERVER, type MessageCounts } from "./message-counts.ts";
import type { Outlet } from "./outlet.ts";
import type { Turns } from "./turns.ts";

// Before `register` a session has no storage, so nothing is followed: frames pass, and the calls are counted, so that a
// reply that comes later is known.

/** What a client says before it has registered. */
export class EarlyToServer implements FrameHandler {
  readonly #codec: Codec;
  readonly #calls: Calls;
  readonly #server: Connection;
  readonly #turns: Turns;
  readonly #counts: Float64Array;
  /** A `register` is to be forwarded: nothing behind it is looked at before. */
  #isRegistering = false;
  /** Of the `register` that is held. */
  #envelope: Envelope | undefined;

  constructor(codec: Codec, calls: Calls, server: Connection, turns: Turns, { fromClients }: MessageCounts) {
    this.#counts = fromClients;
    this.#codec = codec;
    this.#calls = calls;
    this.#server = server;
    this.#turns = turns;
  }

  begin(head: Buffer, length: number): Verdict {
    if (this.#isRegistering) return "wait";
    const envelope = this.#codec.peek(head);
    if (envelope === undefined) return tooShort(head, length);
    const method = methodNamed(envelope.method);
    this.#counts[method.index]!++;
    if (envelope.method === REPLY) return "pass"; // a heartbeat
    if (method.sort === "register") {
      this.#envelope = envelope;
      return "hold";
    }
    if (isAnswered(envelope)) this.#calls.addPlain(envelope.id, method, undefined);
    return "pass";
  }

  flow(bytes: Buffer): void {
    this.#server.write(bytes);
  }

  frame(frame: Buffer, payload: Buffer): void {
    const envelope = this.#envelope;
    if (envelope === undefined) throw new Error("a frame that was not begun");
    mustBeAnswered(envelope);
    const storage = registerArg(this.#codec, payload, envelope);
    this.#isRegistering = true;
    const own = Buffer.from(frame);
    this.#turns.register(storage, () => {
      this.#isRegistering = false;
      this.#calls.add(envelope.id, { sort: "register" });
      this.#server.write(own);
    });
  }

  stillWaits(): boolean {
    return this.#isRegistering;
  }

  mac(): void {
    this.#turns.foundMac("client");
  }
}

/** What a server says before its client has registered. */
export class EarlyToClient implements FrameHandler {
  readonly #codec: Codec;
  readonly #calls: Calls;
  readonly #outlet: Outlet;
  readonly #turns: Turns;
  readonly #counts: Float64Array;

  constructor(codec: Codec, calls: Calls, outlet: Outlet, turns: Turns, { fromServer }: MessageCounts) {
    this.#counts = fromServer;
    this.#codec = codec;
    this.#calls = calls;
    this.#outlet = outlet;
    this.#turns = turns;
  }

  begin(head: Buffer, length: number): Verdict {
    const envelope = this.#codec.peek(head);
    if (envelope === undefined) return tooShort(head, length);
    if (envelope.method === INVALIDATE) {
      throw new ProtocolError("invalidation-before-register", 0, "a client that has registered", "an invalidation");
    }
    const isReply = envelope.method === REPLY;
    this.#counts[isReply ? FROM_SERVER.reply : FROM_SERVER.other]!++;
    if (isReply) this.#calls.answered(envelope.id);
    return "pass";
  }

  flow(bytes: Buffer): void {
    this.#outlet.write(bytes);
  }

  frame(): void {
    // None is ever held.
  }

  mac(): void {
    this.#turns.foundMac("server");
  }
}

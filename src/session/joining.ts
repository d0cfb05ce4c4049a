import { sessionEnd, type SessionEnd } from "../happening/ends.ts";
import type { Codec, Envelope } from "../wire/codec.ts";
import type { FrameHandler, Verdict } from "../wire/frame.ts";
import type { Tid } from "../wire/ids.ts";
import { INVALIDATE, REPLY } from "../wire/methods.ts";
import { replyTid } from "../wire/replies.ts";
import type { Connection } from "./connection.ts";
import type { Conversation } from "./conversation.ts";
import { tooShort } from "./heads.ts";
import type { Outlet } from "./outlet.ts";

// A client that has registered long ago joins a storage, as a question of the proxy's own would be its `register`: what the server
// writes before the answer passes as it is, and what it writes behind that is followed. The client's calls wait meanwhile.

/** Nothing of the client's is looked at before the answer. */
export class JoiningToServer implements FrameHandler {
  readonly #server: Connection;
  #waits = true;

  constructor(server: Connection) {
    this.#server = server;
  }

  begin(): Verdict {
    if (!this.#waits) throw new Error("another handler is to go on");
    return "wait";
  }

  /** Another handler goes on. */
  over(): void {
    this.#waits = false;
  }

  stillWaits(): boolean {
    return this.#waits;
  }

  /** What waited, where the answer is not waited for any longer. */
  flow(bytes: Buffer): void {
    this.#server.write(bytes);
  }

  frame(): void {
    // None is held.
  }
}

export interface Joined {
  /** The server's last transaction is that one; all that it told before has passed. */
  joined(last: Tid): void;
  /** It has told of a later one before it named that: it is to be asked once more. */
  again(): void;
  failed(end: SessionEnd): void;
}

export class JoiningToClient implements FrameHandler {
  readonly #codec: Codec;
  readonly #talk: Conversation;
  readonly #outlet: Outlet;
  readonly #told: Joined;
  #envelope: Envelope | undefined;
  /** The newest that the server has told of. */
  #newest: Tid;

  constructor(talk: Conversation, outlet: Outlet, newest: Tid, told: Joined) {
    this.#newest = newest;
    this.#codec = talk.server.codec;
    this.#talk = talk;
    this.#outlet = outlet;
    this.#told = told;
  }

  begin(head: Buffer, length: number): Verdict {
    const envelope = this.#codec.peek(head);
    if (envelope === undefined) return tooShort(head, length);
    this.#envelope = envelope;
    const isRead = envelope.method === INVALIDATE || envelope.method === REPLY;
    return isRead ? "hold" : "pass";
  }

  flow(bytes: Buffer): void {
    this.#outlet.write(bytes);
  }

  frame(frame: Buffer, payload: Buffer): void {
    const envelope = this.#envelope;
    if (envelope === undefined) throw new Error("a frame that was not begun");
    if (envelope.method === REPLY && this.#talk.calls.special(envelope.id) !== undefined) {
      this.#answered(payload, envelope);
      return;
    }
    if (envelope.method === INVALIDATE) {
      const { tid } = this.#codec.invalidation(payload, envelope);
      if (tid > this.#newest) this.#newest = tid;
    }
    this.#outlet.write(frame);
  }

  #answered(payload: Buffer, envelope: Envelope): void {
    this.#talk.calls.answered(envelope.id);
    const value = replyTid(this.#codec, payload, envelope);
    if (value.kind !== "tid") {
      this.#told.failed(sessionEnd("question-refused", "no tid", { expected: "the last transaction's" }));
    } else if (value.tid < this.#newest) this.#told.again();
    else this.#told.joined(value.tid);
  }
}

import type { Stamp } from "../ledger/state.ts";
import type { MessageId } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import type { Tid } from "../wire/ids.ts";
import { methodAt, type Method } from "../wire/methods.ts";

/** A call whose reply the ledger reads. */
export type Call =
  | { readonly sort: "register" }
  | { readonly sort: "last"; readonly stamp: Stamp }
  | { readonly sort: "resume"; readonly stamp: Stamp; readonly asked: Tid }
  | { readonly sort: "vote"; readonly stamp: Stamp; readonly transaction: MessageId }
  | { readonly sort: "finish"; readonly stamp: Stamp; readonly number: number };

/** Any other: which method, and how many commits had settled when it was forwarded. */
export interface PlainCall {
  readonly method: Method;
  readonly order: number;
}

/** More than any client has; beyond it somebody calls and is never answered. */
const MAX_CALLS = 100_000;
const ORDER_FACTOR = 256;
/** An entry of the map. */
const CALL_BYTES = 64;

/**
 * The message id of the proxy's own questions. Clients count theirs from 0 or 1, and use -1 for heartbeats; the
 * server only echoes it.
 */
export const QUESTION_ID = -2;

/** What the replies that are on their way answer. No object for an ordinary call: a number holds both facts. */
export class Calls {
  readonly #open = new Map<MessageId, number | Call>();

  /** How many wait for their replies. */
  get size(): number {
    return this.#open.size;
  }

  /** About what they take of memory. */
  get bytes(): number {
    return this.#open.size * CALL_BYTES;
  }

  addPlain(id: MessageId, method: Method, stamp: Stamp | undefined): void {
    this.#add(id, method.index + (stamp?.order ?? 0) * ORDER_FACTOR);
  }

  add(id: MessageId, call: Call): void {
    this.#add(id, call);
  }

  /** May a call whose reply the ledger reads have this id? To be asked before anything is noted of it. */
  mustBeFree(id: MessageId): void {
    this.#mustBeFree(id, true);
  }

  /** Does any call wait whose reply the ledger reads? */
  get hasSpecial(): boolean {
    for (const call of this.#open.values()) if (typeof call === "object") return true;
    return false;
  }

  #add(id: MessageId, call: number | Call): void {
    this.#mustBeFree(id, typeof call === "object");
    this.#open.set(id, call);
  }

  /** Two calls of one id would make one's reply the other's: what the ledger is told must be true. */
  #mustBeFree(id: MessageId, isSpecial: boolean): void {
    const before = this.#open.get(id);
    if (id === QUESTION_ID || typeof before === "object" || (before !== undefined && isSpecial)) {
      const got = id === QUESTION_ID ? "that of the proxy's own calls" : "one that waits for its reply";
      throw new ProtocolError("id-in-use", 0, "a message id that no other call has", got);
    }
    if (this.#open.size >= MAX_CALLS) {
      const expected = `at most ${MAX_CALLS} calls that the server has not answered yet`;
      throw new ProtocolError("too-many-calls", 0, expected, "one more call");
    }
  }

  /** A call whose reply the ledger reads, without removing it. */
  special(id: MessageId): Call | undefined {
    const call = this.#open.get(id);
    return typeof call === "object" ? call : undefined;
  }

  /** Its reply has come. */
  answered(id: MessageId): void {
    this.#open.delete(id);
  }

  /** An ordinary call, without removing it; undefined: nobody knows what a reply with this id answers. */
  plain(id: MessageId): PlainCall | undefined {
    const call = this.#open.get(id);
    return typeof call === "number" ? plainCall(call) : undefined;
  }

  /** Removes and returns an ordinary call; undefined: nobody knows what the reply answers. */
  takePlain(id: MessageId): PlainCall | undefined {
    const call = this.#open.get(id);
    if (typeof call !== "number") return undefined;
    this.#open.delete(id);
    return plainCall(call);
  }
}

function plainCall(call: number): PlainCall {
  const order = Math.floor(call / ORDER_FACTOR);
  return { method: methodAt(call - order * ORDER_FACTOR), order };
}

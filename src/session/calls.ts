import type { Stamp } from "../ledger/state.ts";
import type { MessageId } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import type { Tid } from "../wire/ids.ts";
import { methodAt, type Method } from "../wire/methods.ts";
import type { QuestionIds } from "./question-ids.ts";

/** A call whose reply the ledger reads. */
export type Call =
  | { readonly sort: "register" }
  | { readonly sort: "last"; readonly stamp: Stamp }
  | { readonly sort: "resume"; readonly stamp: Stamp; readonly asked: Tid }
  | { readonly sort: "vote"; readonly stamp: Stamp; readonly transaction: MessageId }
  | { readonly sort: "finish"; readonly stamp: Stamp; readonly number: number }
  /** The proxy's own: nobody else is to see its reply. */
  | { readonly sort: "question" };

/** Any other: which method, and how many commits had settled when it was forwarded. */
export interface PlainCall {
  readonly method: Method;
  readonly order: number;
}

/**
 * Beyond it somebody only calls. No client gets there: a `prefetch` is a call for each object of its list, and costs the
 * client itself some thousand bytes each.
 */
const MAX_CALLS = 1_000_000;
/** A client has one: a storage commits one transaction at a time. Each that is left over when its server is gone costs. */
const MAX_FINISHES = 1_000;
/** What a call takes up until its reply: the map's entry, a number, and an id that is a pair of oid and tid. */
const CALL_BYTES = 160;
const ORDER_FACTOR = 256;
const QUESTION: Call = { sort: "question" };

/** What the replies that are on their way answer. No object for an ordinary call: a number holds both facts. */
export class Calls {
  readonly #open = new Map<MessageId, number | Call>();
  readonly #questionIds: QuestionIds;
  /** How many `tpc_finish` wait for their replies. */
  #finishes = 0;

  constructor(questionIds: QuestionIds) {
    this.#questionIds = questionIds;
  }

  /** How many wait for their replies. */
  get size(): number {
    return this.#open.size;
  }

  /** About as much memory as they take up. */
  get bytes(): number {
    return this.#open.size * CALL_BYTES;
  }

  addPlain(id: MessageId, method: Method, stamp: Stamp | undefined): void {
    this.#add(id, method.index + (stamp?.order ?? 0) * ORDER_FACTOR);
  }

  add(id: MessageId, call: Call): void {
    this.#add(id, call);
    if (call.sort === "finish") this.#finishes++;
  }

  /** May a `tpc_finish` have this id? To be asked before it is noted. */
  mayFinish(id: MessageId): void {
    this.#mustBeFree(id, true);
    if (this.#finishes >= MAX_FINISHES) throw tooMany(`at most ${MAX_FINISHES} tpc_finish that wait for their replies`);
  }

  /** A question of the proxy's own waits for its reply. @returns its id, which no call has that waits */
  addQuestion(): number {
    let id = this.#questionIds.next();
    while (this.#open.has(id)) id = this.#questionIds.next();
    this.#open.set(id, QUESTION);
    return id;
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
    if (typeof before === "object" || (before !== undefined && isSpecial)) {
      const got = before === QUESTION ? "that of the proxy's own call" : "one that waits for its reply";
      throw new ProtocolError("id-in-use", 0, "a message id that no other call has", got);
    }
    if (this.#open.size >= MAX_CALLS) throw tooMany(`at most ${MAX_CALLS} calls that wait for their replies`);
  }

  /** A call whose reply the ledger reads, without removing it. */
  special(id: MessageId): Call | undefined {
    const call = this.#open.get(id);
    return typeof call === "object" ? call : undefined;
  }

  /** Its reply has come. */
  answered(id: MessageId): void {
    const call = this.#open.get(id);
    if (typeof call === "object" && call.sort === "finish") this.#finishes--;
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

function tooMany(expected: string): ProtocolError {
  return new ProtocolError("too-many-calls", 0, expected, "one more");
}

function plainCall(call: number): PlainCall {
  const order = Math.floor(call / ORDER_FACTOR);
  return { method: methodAt(call - order * ORDER_FACTOR), order };
}

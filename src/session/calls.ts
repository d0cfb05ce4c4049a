import type { Stamp } from "../ledger/state.ts";
import type { MessageId } from "../wire/codec.ts";
import { ProtocolError } from "../wire/errors.ts";
import type { Tid } from "../wire/ids.ts";
import { methodAt, type Method } from "../wire/methods.ts";
import type { Skim } from "../wire/skim.ts";
import { PlainCalls } from "./plain-calls.ts";
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
/** What a call takes up whose reply the ledger reads. */
const CALL_BYTES = 160;
const ORDER_FACTOR = 256;
const QUESTION: Call = { sort: "question" };

/** What the replies that are on their way answer. No object for an ordinary call: a number holds both facts. */
export class Calls {
  readonly #plain = new PlainCalls();
  readonly #special = new Map<MessageId, Call>();
  readonly #questionIds: QuestionIds;
  /** How many calls of `#special` wait: asked for each chunk, so it is not looked for there. */
  #specials = 0;
  /** How many `tpc_finish` wait for their replies. */
  #finishes = 0;

  constructor(questionIds: QuestionIds) {
    this.#questionIds = questionIds;
  }

  /** How many wait for their replies. */
  get size(): number {
    return this.#specials + this.#plain.size;
  }

  /** About as much memory as they take up. */
  get bytes(): number {
    return this.#specials * CALL_BYTES + this.#plain.bytes;
  }

  addPlain(id: MessageId, method: Method, stamp: Stamp | undefined): void {
    this.#mustBeFree(id, false);
    this.#plain.add(id, noteOf(method, stamp?.order ?? 0));
  }

  /** The same where nothing special waits: no id can be that of another call that matters. */
  addSkimmed(id: Skim, method: Method, order: number): void {
    this.#mustHaveRoom();
    this.#plain.addSkimmed(id, noteOf(method, order));
  }

  add(id: MessageId, call: Call): void {
    this.#mustBeFree(id, true);
    this.#special.set(id, call);
    this.#specials = this.#special.size;
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
    while (this.#special.has(id) || this.#plain.find(id) !== undefined) id = this.#questionIds.next();
    this.#special.set(id, QUESTION);
    this.#specials = this.#special.size;
    return id;
  }

  /** Does any call wait whose reply the ledger reads? */
  get hasSpecial(): boolean {
    return this.#specials > 0;
  }

  /** Two calls of one id would make one's reply the other's: what the ledger is told must be true. */
  #mustBeFree(id: MessageId, isSpecial: boolean): void {
    const before = this.#special.get(id);
    if (before !== undefined || (isSpecial && this.#plain.find(id) !== undefined)) {
      const got = before === QUESTION ? "that of the proxy's own call" : "one that waits for its reply";
      throw new ProtocolError("id-in-use", 0, "a message id that no other call has", got);
    }
    this.#mustHaveRoom();
  }

  #mustHaveRoom(): void {
    if (this.size >= MAX_CALLS) throw tooMany(`at most ${MAX_CALLS} calls that wait for their replies`);
  }

  /** A call whose reply the ledger reads, without removing it. */
  special(id: MessageId): Call | undefined {
    return this.#special.get(id);
  }

  /** Its reply has come. */
  answered(id: MessageId): void {
    const call = this.#special.get(id);
    if (call === undefined) {
      this.#plain.take(id);
      return;
    }
    if (call.sort === "finish") this.#finishes--;
    this.#special.delete(id);
    this.#specials = this.#special.size;
  }

  /** The same where nothing special waits. */
  answeredSkimmed(id: Skim): void {
    this.#plain.takeSkimmed(id);
  }

  /** An ordinary call, without removing it; undefined: nobody knows what a reply with this id answers. */
  plain(id: MessageId): PlainCall | undefined {
    return plainCall(this.#plain.find(id));
  }

  /** Removes and returns an ordinary call; undefined: nobody knows what the reply answers. */
  takePlain(id: MessageId): PlainCall | undefined {
    return plainCall(this.#plain.take(id));
  }
}

function tooMany(expected: string): ProtocolError {
  return new ProtocolError("too-many-calls", 0, expected, "one more");
}

function noteOf(method: Method, order: number): number {
  return method.index + order * ORDER_FACTOR;
}

function plainCall(note: number | undefined): PlainCall | undefined {
  if (note === undefined) return undefined;
  const order = Math.floor(note / ORDER_FACTOR);
  return { method: methodAt(note - order * ORDER_FACTOR), order };
}

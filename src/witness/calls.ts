import type { Dialect } from "../wire/codec.ts";
import { framed } from "../wire/frame.ts";
import type { MessageId } from "../wire/message-id.ts";
import { pickleCodec } from "../wire/pickle-codec.ts";
import type { ReplyHead } from "../wire/pickle/reply-head.ts";
import { PyTuple, type Value } from "../wire/value.ts";

export type Answered = (reply: ReplyHead) => void;

/** One-way messages have this id (ZEO 4.3.1 `zrpc/connection.py`, ZEO 5.2.1 `asyncio/base.py`). */
const ONE_WAY_ID = 0;
const ASCII = /^[\0-\x7f]*$/;
const LAST_ID = 2 ** 31 - 1;

/** The calls of one connection: what each is as bytes, and who waits for its reply. */
export class Calls {
  /**
   * How they are written. Every server reads this one, as long as nothing has bytes above 127 in it (a tid, say): then it has
   * to be how the server itself writes.
   */
  dialect: Dialect = "pickle1";
  readonly #waiting = new Map<MessageId, Answered>();
  #id = 0;

  /** So many have no reply yet. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** @returns the call's frame */
  call(method: string, args: readonly Value[], answered: Answered): Buffer {
    this.#id = this.#id === LAST_ID ? 1 : this.#id + 1;
    this.#waiting.set(this.#id, answered);
    return framed(pickleCodec.encode(this.dialect, this.#id, 0, method, new PyTuple(args)));
  }

  /** @returns the message's frame */
  oneWay(method: string, args: readonly Value[]): Buffer {
    return framed(pickleCodec.encode(this.dialect, ONE_WAY_ID, 1, method, new PyTuple(args)));
  }

  /**
   * A name as the server's own text: in Python 2 a byte string. That is text in Python 3, too, as long as it is written with
   * protocol 1 and is ASCII.
   */
  name(text: string): Value {
    const isPython3 = this.dialect === "pickle3" || this.dialect === "pickle3-zeo4";
    return isPython3 || !ASCII.test(text) ? text : Buffer.from(text);
  }

  isWaiting(id: MessageId): boolean {
    return this.#waiting.has(id);
  }

  /** Who waits for the reply with this id, once. */
  take(id: MessageId): Answered | undefined {
    const answered = this.#waiting.get(id);
    this.#waiting.delete(id);
    return answered;
  }
}

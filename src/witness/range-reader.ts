import type { Found, Range, RangeRead } from "../storage/witness.ts";
import { Gathered } from "../wire/gathered.ts";
import { asTid, ID_BYTES, NO_TID, readTid, type Tid } from "../wire/ids.ts";
import type { ReplyHead } from "../wire/pickle/reply-head.ts";

/** A call that the reader wants to be made. */
export type RangeCall =
  | { readonly kind: "last" }
  | { readonly kind: "start"; readonly start: Tid; readonly stop: Tid }
  | { readonly kind: "next"; readonly iid: number }
  | { readonly kind: "record-start"; readonly iid: number; readonly opened: OpenTransaction }
  | { readonly kind: "record-next"; readonly opened: OpenTransaction };

/** A transaction whose records are being read. */
export interface OpenTransaction {
  readonly tid: Tid;
  /** Its record iterator. */
  readonly iid: number;
}

interface Opened extends OpenTransaction {
  readonly oids: Gathered;
  /** Its place in what was found. */
  readonly place: number;
}

export interface RangeBounds {
  /** So many heads may be seen, */
  readonly transactions: number;
  /** and their oids may take so many bytes. */
  readonly oidBytes: number;
}

/** Of so many transactions records are read at the same time. */
const OPEN = 16;

const NOTHING: readonly RangeCall[] = [];

/**
 * Reads the oids of a range of transactions: replies in, calls out. The calls that it gives are to be sent in their order,
 * in one write.
 *
 * A server hands out a transaction for each `iterator_next`, and None at the end; one call more is a KeyError, with a
 * traceback in its log. So is one `iterator_record_next` too many. How many there are nobody says. So of each iterator one
 * item at a time is asked for, and there is never a call too many; but the records of several transactions are read at the
 * same time, and while the head of the next one is asked for. That is a round trip for each transaction, with some four
 * calls in it, which take a server about as long.
 *
 * `iterator_record_start` goes by the transaction that was handed out last, so it stands before the next `iterator_next`;
 * its iterator is then on its own. Both kinds of iterators are counted together, for each connection from 0 on, and one
 * that can't be had has been counted, too (ZODB3 3.10.7 to ZEO 6.2, `StorageServer.py`): so nobody waits for a record
 * iterator's id. An exception ends the range, and the next one begins with an id that was read.
 *
 * The iterator over transactions is read to its end: servers before ZEO 6.2 keep a file open for one that is only given
 * back (`_txn_iterators_last`).
 */
export class RangeReader {
  readonly #range: Range;
  readonly #isSkipped: (tid: Tid) => boolean;
  readonly #bounds: RangeBounds;
  #iid: number | undefined;
  #nextIid = 0;
  #heads = 0;
  /** The last one that was seen. */
  #tid: Tid;
  #isAtEnd = false;
  /** The next transaction is not asked for before one that is open has been read. */
  #waits = false;
  readonly #open = new Set<Opened>();
  readonly #found: (Found | undefined)[] = [];
  #oidBytes = 0;
  #over: RangeRead | undefined;

  constructor(range: Range, isSkipped: (tid: Tid) => boolean, bounds: RangeBounds) {
    this.#range = range;
    this.#isSkipped = isSkipped;
    this.#bounds = bounds;
    this.#tid = range.above;
  }

  /** What became of it, as soon as that is known. */
  get over(): RangeRead | undefined {
    return this.#over;
  }

  /** Iterators that are left behind when it is over, to be given back. */
  get left(): readonly number[] {
    const records = [...this.#open].map(({ iid }) => iid);
    return this.#iid === undefined || this.#isAtEnd ? records : [this.#iid, ...records];
  }

  /** One of them has handed out a transaction: a server before ZEO 6.2 keeps its file open, given back or not. */
  get leavesFile(): boolean {
    return this.#heads > 0 && !this.#isAtEnd;
  }

  /**
   * `known`: the last transaction that the server has named on this connection. An old server announces a transaction before
   * it can be iterated over, but `lastTransaction` waits until it can (ZODB3 3.10.7 and ZEO 4.3.1, the lock of
   * `FileStorage.tpc_finish`). And beyond the last one FileStorage may warn of a file that is cut.
   */
  begin(known: Tid): readonly RangeCall[] {
    const { above, upTo } = this.#range;
    if (upTo <= above) {
      this.#over = { kind: "read", found: [] };
      return NOTHING;
    }
    return upTo <= known ? [this.#start()] : [{ kind: "last" }];
  }

  answered(call: RangeCall, reply: ReplyHead): readonly RangeCall[] {
    if (this.#over !== undefined) return NOTHING;
    if (reply.kind === "exception") return this.#fail(reply.name);
    switch (call.kind) {
      case "last":
        return this.#last(reply);
      case "start":
        return this.#started(reply);
      case "next":
        return this.#head(reply);
      case "record-start":
        return this.#recordsStarted(call.opened as Opened, reply);
      case "record-next":
        return this.#record(call.opened as Opened, reply);
      default:
        return call satisfies never;
    }
  }

  /** It has taken too long. */
  giveUp(): void {
    this.#over ??= { kind: "too-much" };
  }

  #start(): RangeCall {
    const { above, upTo } = this.#range;
    return { kind: "start", start: asTid(above + 1n), stop: upTo };
  }

  #last(reply: ReplyHead): readonly RangeCall[] {
    const last = reply.kind === "id" ? readTid(reply.id) : reply.kind === "none" ? NO_TID : undefined;
    if (last === undefined) return this.#fail("no tid");
    return last < this.#range.upTo ? this.#fail("not committed yet") : [this.#start()];
  }

  #started(reply: ReplyHead): readonly RangeCall[] {
    if (reply.kind !== "integer") return this.#fail("no iterator");
    this.#iid = reply.value;
    this.#nextIid = reply.value + 1;
    return [this.#next()];
  }

  #next(): RangeCall {
    return { kind: "next", iid: this.#iid as number };
  }

  #head(reply: ReplyHead): readonly RangeCall[] {
    if (reply.kind === "none") {
      this.#isAtEnd = true;
      return this.#goOn();
    }
    if (reply.kind !== "items") return this.#fail("no transaction");
    const tid = readTid(reply.id);
    if (tid <= this.#tid || tid > this.#range.upTo) return this.#fail("a transaction out of order");
    this.#tid = tid;
    this.#heads++;
    if (this.#heads > this.#bounds.transactions) return this.#tooMuch();
    if (this.#isSkipped(tid)) return [this.#next()];
    const opened = { tid, iid: this.#nextIid++, oids: new Gathered(), place: this.#found.length };
    this.#found.push(undefined);
    this.#open.add(opened);
    const calls: RangeCall[] = [
      { kind: "record-start", iid: this.#iid as number, opened },
      { kind: "record-next", opened },
    ];
    if (this.#open.size < OPEN) calls.push(this.#next());
    else this.#waits = true;
    return calls;
  }

  #recordsStarted({ iid }: Opened, reply: ReplyHead): readonly RangeCall[] {
    const isExpected = reply.kind === "integer" && reply.value === iid;
    return isExpected ? NOTHING : this.#fail("an iterator out of order");
  }

  #record(opened: Opened, reply: ReplyHead): readonly RangeCall[] {
    const { tid, oids, place } = opened;
    if (reply.kind === "none") {
      this.#open.delete(opened);
      // What was grown is larger than what is in it.
      this.#found[place] = { tid, oids: Buffer.from(oids.take()) };
      return this.#goOn();
    }
    if (reply.kind !== "items") return this.#fail("no record");
    this.#oidBytes += ID_BYTES;
    if (this.#oidBytes > this.#bounds.oidBytes) return this.#tooMuch();
    oids.add(reply.id, Math.max(oids.length, ID_BYTES));
    return [{ kind: "record-next", opened }];
  }

  /** Something has been read to its end. */
  #goOn(): readonly RangeCall[] {
    if (this.#waits) {
      this.#waits = false;
      return [this.#next()];
    }
    if (this.#isAtEnd && this.#open.size === 0) {
      this.#over = { kind: "read", found: this.#found.filter((one) => one !== undefined) };
    }
    return NOTHING;
  }

  #fail(reason: string): readonly RangeCall[] {
    this.#over = { kind: "failed", reason };
    return NOTHING;
  }

  #tooMuch(): readonly RangeCall[] {
    this.#over = { kind: "too-much" };
    return NOTHING;
  }
}

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
  /** Its record iterator; before that is known, the one that it will be. */
  readonly iid: number;
}

interface Opened extends OpenTransaction {
  iid: number;
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

/**
 * So often an iterator over transactions is asked for. Where the storage has a lock and the server threads, FileStorage can't
 * find the range while another client's transaction is being copied into its file (ZODB3 3.10.7 to ZODB 5.8.1,
 * `FileIterator._skip_to_start`).
 */
const STARTS = 3;

const LAST: RangeCall = { kind: "last" };
const NOTHING: readonly RangeCall[] = [];

/**
 * - `single`: one call at a time. Right for every server and storage.
 * - `together`: several, so that a transaction costs about one round trip.
 *
 * An old server's sockets delay what is small (Nagle), so that a reply waits for the acknowledgement of the one before it:
 * 40 ms, where that one has led to no call. And a storage's iterators may not be on their own: at its end FileStorage's closes
 * the file that the records are read from, and so it does where a DemoStorage goes on to its changes.
 */
export type RangePace = "single" | "together";

/**
 * Reads the oids of a range of transactions: replies in, calls out. The calls that it gives are to be sent in their order,
 * in one write.
 *
 * A server hands out a transaction for each `iterator_next`, and None at the end; one call more is a KeyError, with a
 * traceback in its log. So is one `iterator_record_next` too many. How many there are nobody says. So of each iterator one
 * item at a time is asked for, and there is never a call too many; but, *together*, the records of several transactions are
 * read at the same time, and while the head of the next one is asked for. The end alone is asked for when all of them are
 * read: it comes behind `upTo`, which nearly always is a transaction. Where something goes wrong in that, all of it is read
 * once more, one call at a time.
 *
 * `iterator_record_start` goes by the transaction that was handed out last, so it stands before the next `iterator_next`.
 * Both kinds of iterators are counted together, for each connection from 0 on, and one that can't be had has been counted,
 * too (ZODB3 3.10.7 to ZEO 6.2, `StorageServer.py`): so, *together*, nobody waits for a record iterator's id.
 *
 * First the last transaction is asked for. An old server announces one before it can be iterated over, but
 * `lastTransaction` waits until it can (ZODB3 3.10.7 and ZEO 4.3.1, the lock that `FileStorage.tpc_finish` holds). And beyond
 * the last one FileStorage may warn of a file that is cut.
 *
 * The iterator over transactions is read to its end: servers before ZEO 6.2 keep a file open for one that is only given
 * back (`_txn_iterators_last`).
 */
export class RangeReader {
  readonly #range: Range;
  readonly #isSkipped: (tid: Tid) => boolean;
  readonly #bounds: RangeBounds;
  /** So often an iterator was asked for. */
  #starts = 0;
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
  /** So many were taken from before them. */
  #taken = 0;
  /** The last one that was taken; at first where the range begins. */
  #above: Tid;
  #oidBytes = 0;
  /** Iterators that were left behind when it began anew. */
  #abandoned: readonly number[] = [];
  #hasLeftFile = false;
  #pace: RangePace;
  #over: RangeRead | undefined;

  constructor(range: Range, isSkipped: (tid: Tid) => boolean, bounds: RangeBounds, pace: RangePace) {
    this.#range = range;
    this.#isSkipped = isSkipped;
    this.#bounds = bounds;
    this.#tid = range.above;
    this.#above = range.above;
    this.#pace = pace;
  }

  /** What became of it, as soon as that is known. */
  get over(): RangeRead | undefined {
    return this.#over;
  }

  /** How it is read by now. */
  get pace(): RangePace {
    return this.#pace;
  }

  /** Iterators that are left behind when it is over, to be given back. */
  get left(): readonly number[] {
    const records = [...this.#abandoned, ...[...this.#open].map(({ iid }) => iid)];
    return this.#iid === undefined || this.#isAtEnd ? records : [this.#iid, ...records];
  }

  /** One of them has handed out a transaction: a server before ZEO 6.2 keeps its file open, given back or not. */
  get leavesFile(): boolean {
    return this.#hasLeftFile || (this.#heads > 0 && !this.#isAtEnd);
  }

  /**
   * Those that have been read whole, from the first one on: they are not told of again, not at the end either, and their oids
   * do not count any more. So a range of any length can be read.
   */
  take(): readonly Found[] {
    const taken: Found[] = [];
    for (const one of this.#found) {
      if (one === undefined) break;
      taken.push(one);
      this.#above = one.tid;
      this.#oidBytes -= one.oids.length;
    }
    this.#found.splice(0, taken.length);
    this.#taken += taken.length;
    return taken;
  }

  begin(): readonly RangeCall[] {
    if (this.#range.upTo > this.#range.above) return [LAST];
    this.#over = { kind: "read", found: [] };
    return NOTHING;
  }

  answered(call: RangeCall, reply: ReplyHead): readonly RangeCall[] {
    if (this.#over !== undefined || this.#isGone(call)) return NOTHING;
    if (reply.kind === "exception") return this.#refused(call, reply.name);
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

  /** It was made for what has been begun anew since. */
  #isGone(call: RangeCall): boolean {
    switch (call.kind) {
      case "last":
      case "start":
        return false;
      case "next":
        return call.iid !== this.#iid;
      case "record-start":
      case "record-next":
        return !this.#open.has(call.opened as Opened);
      default:
        return call satisfies never;
    }
  }

  #refused({ kind }: RangeCall, name: string): readonly RangeCall[] {
    if (kind === "start" && this.#starts < STARTS) return [LAST];
    const isRecord = kind === "record-start" || kind === "record-next";
    return isRecord && this.#pace === "together" ? this.#again() : this.#fail(name);
  }

  #again(): readonly RangeCall[] {
    this.#pace = "single";
    this.#abandoned = this.left;
    this.#hasLeftFile ||= this.leavesFile;
    this.#iid = undefined;
    this.#starts = 0;
    this.#heads = 0;
    this.#tid = this.#above;
    this.#isAtEnd = false;
    this.#waits = false;
    this.#open.clear();
    this.#found.length = 0;
    this.#taken = 0;
    this.#oidBytes = 0;
    return [LAST];
  }

  #last(reply: ReplyHead): readonly RangeCall[] {
    const last = reply.kind === "id" ? readTid(reply.id) : reply.kind === "none" ? NO_TID : undefined;
    if (last === undefined) return this.#fail("no tid");
    const { upTo } = this.#range;
    if (last < upTo) return this.#fail("not committed yet");
    this.#starts++;
    return [{ kind: "start", start: asTid(this.#above + 1n), stop: upTo }];
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

  /** Asks for the next transaction, or waits until it may. */
  #advance(): readonly RangeCall[] {
    const isLast = this.#tid === this.#range.upTo;
    this.#waits = this.#open.size >= (this.#pace === "single" || isLast ? 1 : OPEN);
    return this.#waits ? NOTHING : [this.#next()];
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
    if (this.#isSkipped(tid)) return this.#advance();
    const opened = { tid, iid: this.#nextIid++, oids: new Gathered(), place: this.#taken + this.#found.length };
    this.#found.push(undefined);
    this.#open.add(opened);
    const start: RangeCall = { kind: "record-start", iid: this.#iid as number, opened };
    const advance = this.#advance();
    return this.#pace === "single" ? [start] : [start, { kind: "record-next", opened }, ...advance];
  }

  #recordsStarted(opened: Opened, reply: ReplyHead): readonly RangeCall[] {
    if (reply.kind !== "integer") return this.#fail("no iterator");
    if (this.#pace === "single") {
      opened.iid = reply.value;
      return [{ kind: "record-next", opened }];
    }
    return reply.value === opened.iid ? NOTHING : this.#again();
  }

  #record(opened: Opened, reply: ReplyHead): readonly RangeCall[] {
    const { tid, oids, place } = opened;
    if (reply.kind === "none") {
      this.#open.delete(opened);
      // What was grown is larger than what is in it.
      this.#found[place - this.#taken] = { tid, oids: Buffer.from(oids.take()) };
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
    if (this.#waits) return this.#advance();
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

import { NO_TID, type Tid, tidBytes } from "../../src/wire/ids.ts";
import type { ReplyHead } from "../../src/wire/pickle/reply-head.ts";

/** A transaction of the model's storage: its tid, and the oids of its records. */
export type Stocked = readonly [tid: Tid, ...oids: bigint[]];

type Iterator = { readonly of: readonly Stocked[]; at: number } | { readonly records: Stocked; at: number };

export const raised = (name: string): ReplyHead => ({ kind: "exception", name: `builtins.${name}` });
const NONE: ReplyHead = { kind: "none" };

/**
 * The iterators of one connection to a server, as `ZEOStorage` has them (ZODB3 3.10.7 to ZEO 6.2, `StorageServer.py`): what
 * each call is answered, and how often that was an exception.
 */
export class Iterators {
  readonly open = new Map<number, Iterator>();
  /** The transaction that each iterator has handed out last; an iterator that is given back leaves it there. */
  readonly last = new Map<number, Stocked>();
  /** What was called, in order, with the iterator's id. */
  readonly called: string[] = [];
  raised = 0;
  /** FileStorage's iterator closes its file at its end: records can't be read any more then. */
  closes = false;
  /** Raises instead: by how many calls of that method have come. */
  fault: (method: string, count: number) => ReplyHead | undefined = () => undefined;
  readonly #stock: readonly Stocked[];
  readonly #counts = new Map<string, number>();
  #ids: number;
  #isClosed = false;

  constructor(stock: readonly Stocked[], firstId = 0) {
    this.#stock = stock;
    this.#ids = firstId;
  }

  call(method: string, args: readonly (number | bigint)[]): ReplyHead {
    const count = (this.#counts.get(method) ?? 0) + 1;
    this.#counts.set(method, count);
    this.called.push(`${method} ${method === "iterator_start" ? "" : (args[0] ?? "")}`.trim());
    // Ids are taken first, whatever comes of it.
    const id = method === "iterator_start" || method === "iterator_record_start" ? this.#ids++ : -1;
    const reply = this.fault(method, count) ?? this.#answer(method, args, id);
    if (reply.kind === "exception") this.raised++;
    return reply;
  }

  gc(ids: readonly number[]): void {
    this.called.push(`iterator_gc ${ids.join(" ")}`);
    for (const id of ids) this.open.delete(id);
  }

  #answer(method: string, args: readonly (number | bigint)[], id: number): ReplyHead {
    const iid = Number(args[0]);
    switch (method) {
      case "lastTransaction":
        return { kind: "id", id: tidBytes(this.#stock.at(-1)?.[0] ?? NO_TID) };
      case "iterator_start": {
        const [start, stop] = args as [bigint, bigint];
        this.open.set(id, { of: this.#stock.filter(([tid]) => tid >= start && tid <= stop), at: 0 });
        this.#isClosed = false;
        return { kind: "integer", value: id };
      }
      case "iterator_next": {
        const iterator = this.open.get(iid);
        if (iterator === undefined || !("of" in iterator)) return raised("KeyError");
        const found = iterator.of[iterator.at++];
        if (found === undefined) {
          this.open.delete(iid);
          this.last.delete(iid);
          this.#isClosed = this.closes;
          return NONE;
        }
        this.last.set(iid, found);
        return { kind: "items", id: tidBytes(found[0]) };
      }
      case "iterator_record_start": {
        const found = this.last.get(iid);
        if (found === undefined) return raised("KeyError");
        if (found[0] !== args[1]) return raised("Exception");
        this.open.set(id, { records: found, at: 1 });
        return { kind: "integer", value: id };
      }
      case "iterator_record_next": {
        const iterator = this.open.get(iid);
        if (iterator === undefined || !("records" in iterator)) return raised("KeyError");
        if (this.#isClosed) return raised("ValueError");
        const oid = iterator.records[iterator.at++];
        if (oid !== undefined) return { kind: "items", id: tidBytes(oid as Tid) };
        this.open.delete(iid);
        return NONE;
      }
      default:
        return raised("AttributeError");
    }
  }
}

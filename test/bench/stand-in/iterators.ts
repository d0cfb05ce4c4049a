import { idLength, numberAt } from "../wire/head.ts";
import * as z5 from "../wire/z5.ts";
import type { Committed, History } from "./history.ts";
import { object } from "./objects.ts";

type Iterator =
  | { readonly of: "transactions"; readonly stop: number; next: number; given: Committed | undefined }
  | { readonly of: "records"; readonly transaction: Committed; at: number };

/** Of a transaction: status, user, description, extension. */
const ABOUT = Buffer.concat([z5.text(" "), z5.bytes(Buffer.alloc(0)), z5.bytes(Buffer.alloc(0)), Buffer.from("}")]);
/** Of a record: its data, and no transaction that it was taken from. */
const RECORD = Buffer.concat([z5.bytes(object(400)), z5.NONE]);
/** Low words: tids are small numbers here. */
const LOW = 6;

/**
 * What one connection iterates over. As in ZEO all iterators are counted together, and one call more than there is to give is
 * an error: it ends the benchmark.
 */
export class Iterators {
  readonly #history: History;
  readonly #all = new Map<number, Iterator>();
  #count = 0;

  constructor(history: History) {
    this.#history = history;
  }

  /** What a call is answered, pickled; undefined: it is none of these. */
  answer(method: string, bytes: Buffer, argsAt: number): Buffer | undefined {
    switch (method) {
      case "iterator_start": {
        const [next, stop] = [tidAt(bytes, argsAt), tidAt(bytes, argsAt + z5.OID_BYTES)];
        return this.#open({ of: "transactions", next, stop, given: undefined });
      }
      case "iterator_next":
        return this.#next(numberAt(bytes, argsAt));
      case "iterator_record_start":
        return this.#records(numberAt(bytes, argsAt), tidAt(bytes, argsAt + idLength(bytes, argsAt)));
      case "iterator_record_next":
        return this.#record(numberAt(bytes, argsAt));
      default:
        return undefined;
    }
  }

  #open(iterator: Iterator): Buffer {
    this.#all.set(this.#count, iterator);
    return z5.int(this.#count++);
  }

  #next(iid: number): Buffer {
    const iterator = this.#all.get(iid);
    if (iterator?.of !== "transactions") throw new Error(`no iterator ${iid}`);
    const found = this.#history.from(iterator.next);
    if (found === undefined || found.tid > iterator.stop) return this.#end(iid);
    iterator.given = found;
    iterator.next = found.tid + 1;
    return z5.longTuple(z5.bytes(z5.eight(found.tid)), ABOUT);
  }

  #records(iid: number, tid: number): Buffer {
    const iterator = this.#all.get(iid);
    if (iterator?.of !== "transactions" || iterator.given?.tid !== tid) throw new Error(`not handed out: ${tid}`);
    return this.#open({ of: "records", transaction: iterator.given, at: 0 });
  }

  #record(iid: number): Buffer {
    const iterator = this.#all.get(iid);
    if (iterator?.of !== "records") throw new Error(`no records ${iid}`);
    const { transaction, at } = iterator;
    if (at === transaction.oids.length) return this.#end(iid);
    iterator.at += z5.OID_BYTES;
    const oid = transaction.oids.subarray(at, iterator.at);
    return z5.longTuple(oid, z5.bytes(z5.eight(transaction.tid)), RECORD);
  }

  #end(iid: number): Buffer {
    this.#all.delete(iid);
    return z5.NONE;
  }
}

function tidAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at + LOW);
}

import { PAIR_PREFIX, type MessageId } from "./message-id.ts";
import { wordAt } from "./words.ts";

// What nearly all messages say in their first bytes, read in place as numbers: nothing is made for a message that only passes.
// Who reads so looks at the shapes that real peers write, and leaves every other one to `Codec.peek`.

const SMALL = 2 ** 31;

/** An id of a message, and more of it. One is used again and again. */
export class Skim {
  /** The id: a small integer and three zeros, or the four words of a pair `(oid, tid)`. All of them fit 32 bits, signed. */
  isPair = false;
  a = 0;
  b = 0;
  c = 0;
  d = 0;
  flags = 0;
  /** Offset of the method's name, and of the arguments. */
  nameAt = 0;
  argsAt = 0;

  get id(): MessageId {
    return skimmedId(this);
  }

  setInteger(id: number): void {
    this.isPair = false;
    this.a = id;
    this.b = this.c = this.d = 0;
  }

  /** Eight bytes each, at these offsets. */
  setPair(bytes: Buffer, oidAt: number, tidAt: number): void {
    this.isPair = true;
    this.a = wordAt(bytes, oidAt);
    this.b = wordAt(bytes, oidAt + 4);
    this.c = wordAt(bytes, tidAt);
    this.d = wordAt(bytes, tidAt + 4);
  }

  /** @returns false for an id that is neither: a long integer, text, another tuple */
  setId(id: MessageId): boolean {
    if (typeof id === "number") {
      if (id < -SMALL || id >= SMALL) return false;
      this.setInteger(id);
      return true;
    }
    if (!id.startsWith(PAIR_PREFIX)) return false;
    this.isPair = true;
    this.a = wordIn(id, 0);
    this.b = wordIn(id, 2);
    this.c = wordIn(id, 4);
    this.d = wordIn(id, 6);
    return true;
  }
}

/** What an id is as numbers. */
export type SkimmedId = Pick<Skim, "isPair" | "a" | "b" | "c" | "d">;

/** The id that these stand for. */
export function skimmedId({ isPair, a, b, c, d }: SkimmedId): MessageId {
  return isPair ? PAIR_PREFIX + twoChars(a) + twoChars(b) + twoChars(c) + twoChars(d) : a;
}

/** A store's beginning, and where its data ends. */
export class StoreSkim {
  /** Offset of the eight bytes of the oid. */
  oidAt = 0;
  serial: "zero" | "none" | "set" = "none";
  /** As `StoreHead` has it: offset right behind the data. The rest ends with the transaction's id. */
  restAt = 0;

  /** The eight bytes at `at`: of zeros for an object that is created. */
  setSerial(bytes: Buffer, at: number): void {
    this.serial = wordAt(bytes, at) === 0 && wordAt(bytes, at + 4) === 0 ? "zero" : "set";
  }
}

function twoChars(word: number): string {
  return String.fromCharCode(word >>> 16, word & 0xffff);
}

function wordIn(pair: string, at: number): number {
  const from = PAIR_PREFIX.length + at;
  return (pair.charCodeAt(from) << 16) | pair.charCodeAt(from + 1);
}

import { expect, it } from "vitest";
import { readPickle } from "../../../src/wire/pickle/reader.ts";
import * as z5 from "../wire/z5.ts";
import { History } from "./history.ts";
import { Iterators } from "./iterators.ts";
import { Oids } from "./transaction.ts";

function oidsOf(...numbers: readonly number[]): Oids {
  const oids = new Oids();
  for (const number of numbers) oids.add(z5.bytes(z5.eight(number)), 0);
  return oids;
}

function historyOf(...transactions: readonly (readonly number[])[]): History {
  const history = new History();
  for (const [n, oids] of transactions.entries()) history.add(1001 + n, oidsOf(...oids));
  return history;
}

const tid = (number: number): Buffer => z5.bytes(z5.eight(number));

/** What a call is answered, as a text: eight bytes as their number, an item's first two values. */
function asker(history: History): (method: string, ...args: readonly Buffer[]) => string {
  const iterators = new Iterators(history);
  return (method, ...args) => {
    const value = iterators.answer(method, Buffer.concat(args), 0);
    if (value === undefined) return "nothing";
    const read = readPickle(Buffer.concat([Buffer.from([0x80, 3]), value, Buffer.from(".")]));
    return JSON.stringify(read, (_, one: unknown) => {
      const isBytes = typeof one === "object" && one !== null && "type" in one && one.type === "Buffer";
      return isBytes
        ? Buffer.from((one as unknown as { data: number[] }).data)
            .toString("hex")
            .replace(/^0+/, "")
        : one;
    });
  };
}

it("hands out the transactions of a range, and None once at its end", () => {
  const ask = asker(historyOf([1], [2], [3], [4]));
  expect(ask("iterator_start", tid(1002), tid(1003))).toBe("0");
  expect(ask("iterator_next", z5.int(0))).toContain('"3ea"');
  expect(ask("iterator_next", z5.int(0))).toContain('"3eb"');
  expect(ask("iterator_next", z5.int(0))).toBe("null");
  expect(() => ask("iterator_next", z5.int(0))).toThrow("no iterator 0");
});

it("hands out the records of the transaction that was handed out last, and counts all iterators together", () => {
  const ask = asker(historyOf([0x11, 0x12], [0x21]));
  ask("iterator_start", tid(1001), tid(1002));
  ask("iterator_next", z5.int(0));
  expect(() => ask("iterator_record_start", z5.int(0), tid(1002))).toThrow("not handed out");
  expect(ask("iterator_record_start", z5.int(0), tid(1001))).toBe("1");
  ask("iterator_next", z5.int(0));
  expect(ask("iterator_record_start", z5.int(0), tid(1002))).toBe("2");
  expect(ask("iterator_record_next", z5.int(1))).toMatch(/"11","3e9"/);
  expect(ask("iterator_record_next", z5.int(2))).toMatch(/"21","3ea"/);
  expect(ask("iterator_record_next", z5.int(1))).toMatch(/"12","3e9"/);
  expect(ask("iterator_record_next", z5.int(1))).toBe("null");
  expect(() => ask("iterator_record_next", z5.int(1))).toThrow("no records 1");
});

it("leaves other calls alone", () => {
  expect(asker(historyOf())("tpc_begin")).toBe("nothing");
});

it("forgets the oldest transactions, however many there were", () => {
  const history = new History();
  const many = new Oids();
  for (let n = 0; n < 100_000; n++) many.add(tid(n), 0);
  for (let n = 1; n <= 100; n++) history.add(n, many);
  expect(history.from(0)?.tid).toBeGreaterThan(60);
  expect(history.from(99)?.tid).toBe(99);
  expect(history.from(101)).toBeUndefined();
});

import { expect, it } from "vitest";
import * as z5 from "../wire/z5.ts";
import { Observer } from "./observer.ts";
import { Transactions } from "./transaction.ts";

function announcement(tid: number, count: number): Buffer {
  const oids = Buffer.concat(Array.from({ length: count }, (_, i) => z5.bytes(z5.eight(i))));
  const args = z5.tuple(z5.bytes(z5.eight(tid)), z5.oidList(oids, count));
  return z5.oneWay("invalidateTransaction", args).subarray(4);
}

it("counts announcements that have every oid", () => {
  let told = 0;
  const observer = new Observer(3, () => told++);
  for (const tid of [7, 8, 10]) {
    const frame = announcement(tid, 3);
    observer.told(frame, 0, frame.length);
  }
  expect([told, observer.announced]).toEqual([3, 3]);
});

it("fails where an oid is missing, or one is too many", () => {
  for (const count of [0, 2, 4]) {
    const frame = announcement(7, count);
    expect(() => new Observer(3, () => undefined).told(frame, 0, frame.length)).toThrow("incomplete");
  }
});

it("fails where a commit is announced twice, or behind a later one", () => {
  for (const tid of [7, 6]) {
    const observer = new Observer(1, () => undefined);
    const [first, second] = [announcement(7, 1), announcement(tid, 1)];
    observer.told(first, 0, first.length);
    expect(() => observer.told(second, 0, second.length)).toThrow(`tid ${tid} was announced after 7`);
  }
});

it("creates other objects with every transaction, and modifies the same ones", () => {
  const transactions = new Transactions(4, 0);
  transactions.advance();
  const first = transactions.current();
  transactions.advance();
  const second = transactions.current();
  expect(new Set([...first, ...second]).size).toBe(6);
  for (const oid of second) expect(transactions.bytes.includes(Buffer.from(oid, "hex"))).toBe(true);
  expect(new Transactions(4, 1).current().some((oid) => second.includes(oid))).toBe(false);
});

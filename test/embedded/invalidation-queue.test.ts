import { describe, expect, it } from "vitest";
import { InvalidationQueue } from "../../src/embedded/invalidation-queue.ts";
import { asTid, tidBytes } from "../../src/wire/ids.ts";

const oid = (n: number): Buffer => tidBytes(asTid(BigInt(n)));
const tid = (n: number) => asTid(BigInt(n));

describe("InvalidationQueue", () => {
  it("names each oid once, of the transactions after a tid", () => {
    const queue = new InvalidationQueue(10, [{ tid: tid(1), oids: [oid(9)] }]);
    queue.add({ tid: tid(2), oids: [oid(1), oid(2)] });
    queue.add({ tid: tid(3), oids: [oid(2), oid(3)] });
    expect(queue.since(tid(1))).toEqual({ tid: 3n, oids: [oid(2), oid(3), oid(1)] });
    expect(queue.since(tid(2))).toEqual({ tid: 3n, oids: [oid(2), oid(3)] });
  });

  it("answers with a tid below the one asked for when later transactions were not entered", () => {
    const queue = new InvalidationQueue(10, [{ tid: tid(5), oids: [oid(1)] }]);
    expect(queue.since(tid(6))).toEqual({ tid: 5n, oids: [] });
  });

  it("has no answer for a tid that it does not reach, nor when it is empty", () => {
    const queue = new InvalidationQueue(2, []);
    expect(queue.since(tid(1))).toBeUndefined();
    for (const n of [2, 3, 4]) queue.add({ tid: tid(n), oids: [] });
    expect(queue.since(tid(2))).toBeUndefined();
    expect(queue.since(tid(3))?.tid).toBe(4n);
  });
});

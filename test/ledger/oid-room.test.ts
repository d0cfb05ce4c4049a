import { describe, expect, it } from "vitest";
import { room } from "../../src/ledger/oid-room.ts";

describe("room for oids", () => {
  it("is nobody else's, however much was asked for", () => {
    const rooms = Array.from({ length: 3_000 }, (_, n) => ({ n, bytes: room(8 * (n % 200)) }));
    for (const { n, bytes } of rooms) bytes.fill(n % 251);
    for (const { n, bytes } of rooms) {
      expect(bytes).toHaveLength(8 * (n % 200));
      if (!bytes.every((byte) => byte === n % 251)) expect.unreachable(`room ${n} was written to`);
    }
  });

  it("is shared where little is asked for, and is given back alone where it is much", () => {
    const [one, other] = [room(80), room(80)];
    expect(one.buffer).toBe(other.buffer);
    expect(room(1_032).buffer.byteLength).toBe(1_032);
  });
});

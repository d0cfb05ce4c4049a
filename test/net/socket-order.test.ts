import { writeSync } from "node:fs";
import { expect, it, vi } from "vitest";
import type { offer } from "../../src/net/offer.ts";
import { WRITE_ROOM } from "../../src/net/scratch.ts";
import { all, loopback, meanwhile } from "./loopback.ts";

/** How much the system takes of what it is offered, one after the other; then all. */
const takes: number[] = [];

vi.mock(import("../../src/net/offer.ts"), () => ({
  offer: ((descriptor, bytes) => writeSync(descriptor, bytes, 0, takes.shift() ?? bytes.length)) satisfies typeof offer,
}));

const small = (n: number): Buffer => Buffer.from(`small ${n} `);
const large = Buffer.alloc(WRITE_ROOM.length + 1, "L");
const half = Buffer.alloc(WRITE_ROOM.length / 2 + 1, "h");

// Of what was gathered the system takes a part, the rest waits in Node's queue; and then it has room again.
it.each([
  ["something too large to be gathered", [small(1), large, small(2)]],
  ["something for which there is no room behind it", [half, half, small(1)]],
  ["both", [small(1), small(2), half, half, large, small(3)]],
])("what is written behind what waits goes behind it: %s", async (_, writes) => {
  const { connection, socket, other } = await loopback();
  let isWritten = false;
  connection.handOver({
    read: () => {
      // What Node is given waits, as for a reader that is behind.
      socket.cork();
      takes.push(3);
      for (const bytes of writes) connection.write(bytes);
      isWritten = true;
    },
    ended: () => undefined,
    drained: () => undefined,
    closed: () => undefined,
  });
  other.write("x");
  while (!isWritten) await meanwhile();
  expect(connection.queuedBytes).toBeGreaterThan(0);
  socket.uncork();
  connection.carryOut("end");
  const got = await all(other);
  expect(got.equals(Buffer.concat(writes)), `${got.length} bytes`).toBe(true);
});

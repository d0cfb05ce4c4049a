import { writeSync } from "node:fs";
import fc from "fast-check";
import { expect, it, vi } from "vitest";
import type { offer } from "../../src/net/offer.ts";
import { WRITE_ROOM } from "../../src/net/scratch.ts";
import { all, loopback, meanwhile } from "./loopback.ts";

/** How much the system takes of what it is offered, one after the other; then all. */
const takes: number[] = [];

vi.mock(import("../../src/net/offer.ts"), () => ({
  offer: ((descriptor, bytes) =>
    writeSync(descriptor, bytes, 0, Math.min(takes.shift() ?? bytes.length, bytes.length))) satisfies typeof offer,
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

// Whatever the system takes of each offer, whenever Node's queue goes on, and however much is written in an event.
it("whatever is written leaves in order", async () => {
  const size = fc.oneof(
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: WRITE_ROOM.length - 40, max: WRITE_ROOM.length + 40 }),
    fc.integer({ min: 1, max: 3 * WRITE_ROOM.length }),
  );
  const take = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 60_000 }));
  const event = fc.record({
    writes: fc.array(fc.record({ size, asksBefore: fc.boolean() }), { minLength: 1, maxLength: 6 }),
    takes: fc.array(take, { maxLength: 4 }),
    isSlow: fc.boolean(),
    turns: fc.integer({ min: 0, max: 2 }),
    goesOn: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 6 }), async (events) => {
      takes.length = 0;
      const { connection, socket, other } = await loopback();
      const written: Buffer[] = [];
      let next = 0;
      let isRead: () => void = () => undefined;
      connection.handOver({
        read: (received) => {
          const now = events[next++];
          if (now === undefined) throw new Error("no event");
          if (now.isSlow) socket.cork();
          takes.push(...now.takes);
          connection.write(received);
          written.push(Buffer.from(received));
          for (const { size: length, asksBefore } of now.writes) {
            const bytes = Buffer.alloc(length, written.length % 251);
            if (asksBefore) expect(connection.queuedBytes).toBeGreaterThanOrEqual(0);
            connection.write(bytes);
            written.push(Buffer.from(bytes));
          }
          isRead();
        },
        ended: () => undefined,
        drained: () => undefined,
        closed: () => undefined,
      });
      const got: Buffer[] = [];
      other.on("data", (chunk: Buffer) => got.push(chunk)).resume();
      const goOn = (): void => {
        while (socket.writableCorked > 0) socket.uncork();
      };
      for (const { goesOn, turns } of events) {
        const read = new Promise<void>((resolve) => (isRead = resolve));
        other.write("x");
        await read;
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        if (goesOn) goOn();
      }
      goOn();
      const ended = new Promise((resolve) => other.once("end", resolve));
      connection.carryOut("end");
      await ended;
      expect(Buffer.concat(got).equals(Buffer.concat(written))).toBe(true);
      connection.carryOut("destroy");
    }),
    { numRuns: 150 },
  );
});

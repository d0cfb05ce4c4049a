import fc from "fast-check";
import { expect, it } from "vitest";
import { LineQueue } from "../../src/log/line-queue.ts";

function queueOf(...lines: string[]): LineQueue {
  const queue = new LineQueue();
  for (const line of lines) queue.add(Buffer.from(line));
  return queue;
}

it("gives back what was added, in order, however it is taken", () => {
  const lines = fc.array(fc.string({ minLength: 1, maxLength: 20 }), { maxLength: 50 });
  fc.assert(
    fc.property(
      lines,
      fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }))),
      (all, taken) => {
        const queue = queueOf(...all);
        let read = "";
        // What is taken may end inside a line, even inside a character.
        const bytes: Buffer[] = [];
        for (const [most, written] of taken) {
          const head = queue.head(most).subarray(0, written);
          bytes.push(Buffer.from(head));
          queue.drop(head.length);
        }
        while (queue.bytes > 0) {
          const head = queue.head(100);
          bytes.push(Buffer.from(head));
          queue.drop(head.length);
        }
        read = Buffer.concat(bytes).toString();
        expect(read).toBe(all.join(""));
        expect(queue.lines).toBe(0);
      },
    ),
  );
});

it("gives as many lines at once as fit, and one at least", () => {
  const queue = queueOf("one\n", "two\n", "three\n");
  expect(queue.head(8).toString()).toBe("one\ntwo\n");
  expect(queue.head(7).toString()).toBe("one\n");
  expect(queue.head(1).toString()).toBe("one\n");
});

it("counts a line as one until its last byte is written, and one that speaks for others as those", () => {
  const queue = queueOf("one\n");
  queue.add(Buffer.from("9 lost\n"), 9);
  expect([queue.lines, queue.bytes]).toEqual([10, 11]);
  queue.drop(3);
  expect([queue.lines, queue.bytes, queue.head(100).toString()]).toEqual([10, 8, "\n9 lost\n"]);
  queue.drop(4);
  expect([queue.lines, queue.bytes, queue.head(100).toString()]).toEqual([9, 4, "ost\n"]);
  queue.clear();
  expect([queue.lines, queue.bytes, queue.head(100).length]).toEqual([0, 0, 0]);
});

it("keeps nothing of what was written", () => {
  const queue = new LineQueue();
  for (let n = 0; n < 10_000; n++) {
    queue.add(Buffer.from(`${n}\n`));
    queue.add(Buffer.from("x\n"));
    queue.drop(queue.head(1).length);
  }
  expect(queue.lines).toBe(10_000);
  expect(queue.head(1).toString()).toBe("5000\n");
});

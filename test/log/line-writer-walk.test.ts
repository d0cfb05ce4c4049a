import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LineWriter } from "../../src/log/line-writer.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

type Step =
  | { readonly does: "write"; readonly lines: number; readonly urgent: boolean }
  | { readonly does: "wait"; readonly ms: number }
  | { readonly does: "room"; readonly bytes: number };

const steps = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant("write"), lines: fc.integer({ min: 1, max: 40 }), urgent: fc.boolean() }),
    // Nothing but the end of the turn, or the time in which what waits is tried again.
    fc.record({ does: fc.constant("wait"), ms: fc.constantFrom(0, 0, 10, 2_000) }),
    fc.record({ does: fc.constant("room"), bytes: fc.constantFrom(0, 5, 95, 1_000, 100_000) }),
  ) as fc.Arbitrary<Step>,
  { maxLength: 30 },
);

/** A disk with so much room, under lines of ten bytes that are numbered; 250 bytes are kept for it. */
class World {
  text = "";
  room = 100_000;
  /** The last write has failed: what comes waits with what is left. */
  isStuck = false;
  told = 0;
  readonly writer = new LineWriter(
    {
      write: (bytes) => {
        this.isStuck = this.room === 0;
        if (this.isStuck) throw Object.assign(new Error("full"), { code: "ENOSPC" });
        const taken = bytes.subarray(0, this.room);
        this.room -= taken.length;
        this.text += taken.toString();
        return taken.length;
      },
      onLost: (lines) => this.writer.write(`${lines} lost\n`),
      onBroken: () => expect.unreachable(),
    },
    250,
  );

  async take(step: Step): Promise<void> {
    if (step.does === "room") this.room = step.bytes;
    else if (step.does === "wait") await vi.advanceTimersByTimeAsync(step.ms);
    else for (let n = 0; n < step.lines; n++) this.#write(step.urgent);
  }

  #write(urgent: boolean): void {
    // A timer that is due later is one that waits for room.
    const line = `line ${String(this.told++).padStart(4, "0")}\n`;
    const mayWait = !urgent || this.isStuck || this.room < 1_000;
    this.writer.write(line, urgent);
    if (!mayWait) expect(this.text.endsWith(line)).toBe(true);
  }

  /** The lines, where each that says how many are missing stands for those. */
  check(): void {
    let next = 0;
    for (const line of this.text.split("\n").slice(0, -1)) {
      const lost = /^(\d+) lost$/.exec(line);
      if (lost === null) expect(line).toBe(`line ${String(next++).padStart(4, "0")}`);
      else next += Number(lost[1]);
    }
    expect(next).toBe(this.told);
  }
}

it("writes every line once and in order, or tells at its place how many are missing, whatever happens when", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (taken, ends) => {
      vi.clearAllTimers();
      const world = new World();
      for (const step of taken) await world.take(step);
      world.room = Number.POSITIVE_INFINITY;
      if (ends) expect(await world.writer.end(1_000)).toBe(0);
      else await vi.advanceTimersByTimeAsync(5_000);
      world.check();
      expect(vi.getTimerCount()).toBe(0);
    }),
    { numRuns: 500 },
  );
});

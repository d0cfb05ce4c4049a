import { onTestFinished, vi } from "vitest";
import { Memory } from "../../src/session/memory.ts";

/** What the proxy of a test keeps for its clients, as it counts it. */
export class Kept {
  /** The most so far, in bytes. */
  most = 0;
  #memory: Memory | undefined;

  /** Of the next proxy that is made. */
  constructor() {
    const kept = this;
    const { changed } = Memory.prototype;
    const spy = vi.spyOn(Memory.prototype, "changed").mockImplementation(function (this: Memory, by) {
      kept.#memory ??= this;
      // What is let go of at once was there, too.
      if (kept.#memory === this) kept.most = Math.max(kept.most, this.bytes + by);
      changed.call(this, by);
    });
    onTestFinished(() => spy.mockRestore());
  }

  get now(): number {
    return this.#memory?.bytes ?? 0;
  }
}

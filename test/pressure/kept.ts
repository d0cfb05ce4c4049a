import { onTestFinished, vi } from "vitest";
import { Memory } from "../../src/session/memory.ts";

/** What the proxy of a test keeps for its clients, as it counts it. */
export class Kept {
  /** The most so far, in bytes. */
  most = 0;
  #memory: Memory | undefined;

  /** Of the next proxy that is made. */
  constructor() {
    const changed: (this: Memory, by: number) => void = Reflect.get(Memory.prototype, "changed");
    const note = (memory: Memory, by: number): void => {
      this.#memory ??= memory;
      // What is let go of at once was there, too.
      if (this.#memory === memory) this.most = Math.max(this.most, memory.bytes + by);
    };
    const spy = vi.spyOn(Memory.prototype, "changed").mockImplementation(function (this: Memory, by) {
      note(this, by);
      changed.call(this, by);
    });
    onTestFinished(() => spy.mockRestore());
  }

  get now(): number {
    return this.#memory?.bytes ?? 0;
  }
}

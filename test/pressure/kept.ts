import { onTestFinished, vi } from "vitest";
import { Memory } from "../../src/session/memory.ts";

/** What the proxy of a test keeps for its clients, as it counts it. */
export class Kept {
  /** The most so far, in bytes. */
  most = 0;
  #memory: Memory | undefined;

  /** Of the next proxy that is made. */
  constructor() {
    const changed = Reflect.get<Memory, "changed">(Memory.prototype, "changed");
    const note = (memory: Memory, bytes: number): void => {
      this.#memory ??= memory;
      if (this.#memory === memory) this.most = Math.max(this.most, bytes);
    };
    const spy = vi.spyOn(Memory.prototype, "changed").mockImplementation(function (this: Memory) {
      // What is let go of at once was there, too. It has been measured now, so nothing is to be added.
      note(this, this.bytes);
      changed.call(this, 0);
    });
    onTestFinished(() => spy.mockRestore());
  }

  get now(): number {
    return this.#memory?.bytes ?? 0;
  }
}

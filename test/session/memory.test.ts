import { describe, expect, it } from "vitest";
import { Memory, type Share } from "../../src/session/memory.ts";

/** Shares of a memory of 100,000 bytes, and who was let go, in order. */
function shares(...bytes: number[]): { memory: Memory; shares: Share[]; freed: number[] } {
  const memory = new Memory(100_000);
  const freed: number[] = [];
  const made = bytes.map((_, i) => memory.share(() => void freed.push(i)));
  made.forEach((share, i) => share.set(bytes[i] ?? 0));
  return { memory, shares: made, freed };
}

describe("what the process keeps", () => {
  it("is the sum of the shares, and nothing is left when all have gone", () => {
    const { memory, shares: all } = shares(10_000, 20_000);
    expect(memory.bytes).toBe(30_000);
    all[0]?.set(5000);
    expect(memory.bytes).toBe(25_000);
    for (const share of all) share.leave();
    for (const share of all) share.leave();
    expect(memory.bytes).toBe(0);
  });

  it("lets go whoever holds most, and only as many as must", () => {
    const { memory, shares: all, freed } = shares(30_000, 50_000, 10_000);
    all[2]?.set(21_000);
    expect(freed).toEqual([1]);
    expect(memory.bytes).toBe(51_000);
  });

  it("counts one that was let go no more, though it goes on telling", () => {
    const { memory, shares: all, freed } = shares(30_000, 90_000);
    expect(freed).toEqual([1]);
    all[1]?.set(95_000);
    expect(memory.bytes).toBe(30_000);
    all[0]?.set(99_000);
    expect(freed).toEqual([1]);
  });

  it("may be the share's own that is too much", () => {
    const { freed } = shares(100_001);
    expect(freed).toEqual([0]);
  });

  it("is not told of every byte, but of the last one", () => {
    const { memory, shares: all } = shares(10_000);
    all[0]?.set(11_000);
    expect(memory.bytes).toBe(10_000);
    all[0]?.set(0);
    expect(memory.bytes).toBe(0);
    all[0]?.set(1000);
    expect(memory.bytes).toBe(0);
    all[0]?.set(5000);
    expect(memory.bytes).toBe(5000);
  });

  it("survives that letting go of one changes another", () => {
    const memory = new Memory(100_000);
    const freed: string[] = [];
    const a = memory.share(() => {
      freed.push("a");
      b.set(0);
    });
    const b = memory.share(() => void freed.push("b"));
    b.set(40_000);
    a.set(70_000);
    expect(freed).toEqual(["a"]);
    expect(memory.bytes).toBe(0);
  });

  it("measures before it lets anybody go: what was held may have gone without a word", () => {
    const memory = new Memory(100_000);
    const freed: string[] = [];
    let held = 90_000;
    const a = memory.share(
      () => void freed.push("a"),
      () => held,
    );
    a.set(90_000);
    held = 0;
    const b = memory.share(
      () => void freed.push("b"),
      () => 60_000,
    );
    b.set(60_000);
    expect(freed).toEqual([]);
    expect(memory.bytes).toBe(60_000);
    held = 70_000;
    a.set(70_000);
    expect(freed).toEqual(["a"]);
  });
});

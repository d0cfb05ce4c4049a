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

  it.each([
    ["of 4 KiB more", 14_096, 14_096],
    ["of 4 KiB less", 5_904, 5_904],
    ["not of less than that", 14_095, 10_000],
    ["not of less than that", 5_905, 10_000],
    ["of the last byte", 0, 0],
  ])("is told %s: from 10,000 to %i", (_, bytes, told) => {
    const { memory, shares: all } = shares(10_000);
    all[0]?.set(bytes);
    expect(memory.bytes).toBe(told);
  });

  it("is told of the last byte, too, where little was held", () => {
    const { memory, shares: all } = shares(10_000);
    all[0]?.set(100);
    expect(memory.bytes).toBe(100);
    all[0]?.set(0);
    expect(memory.bytes).toBe(0);
    all[0]?.set(1000);
    expect(memory.bytes).toBe(0);
  });

  it("may be all that is allowed, and is measured only when it seems to be more", () => {
    const memory = new Memory(100_000);
    const freed: number[] = [];
    let looks = 0;
    const measure = (): number => {
      looks++;
      return 50_000;
    };
    const all = [0, 1].map((i) => memory.share(() => void freed.push(i), measure));
    for (const share of all) share.set(50_000);
    expect(freed).toEqual([]);
    expect(looks).toBe(0);
    all[0]?.set(60_000);
    expect(looks).toBe(2);
  });

  it("is no less when one that was let go tells that it holds nothing: nobody else may keep more for it", () => {
    const { shares: all, freed } = shares(30_000, 90_000);
    expect(freed).toEqual([1]);
    all[1]?.set(0);
    all[0]?.set(100_001);
    expect(freed).toEqual([1, 0]);
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

it("another limit ends who holds most at once, until what is left fits", () => {
  const memory = new Memory(100_000);
  const freed: string[] = [];
  const parts = ["small", "large", "middle"].map((name) => memory.share(() => freed.push(name)));
  for (const [at, bytes] of [20_000, 50_000, 30_000].entries()) parts[at]?.set(bytes);
  memory.limitBytes = 100_000;
  expect(freed).toEqual([]);
  memory.limitBytes = 25_000;
  expect(freed).toEqual(["large", "middle"]);
  expect(memory.bytes).toBe(20_000);
  memory.limitBytes = 200_000;
  memory.share(() => freed.push("new")).set(150_000);
  expect(freed).toHaveLength(2);
});

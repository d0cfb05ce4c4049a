import { describe, expect, it } from "vitest";
import { QuestionIds } from "../../src/session/question-ids.ts";

const first = (between: string): number => new QuestionIds(between).next();

describe("the ids of the proxy's questions", () => {
  it("are others each time, the same for the same connections, and fit 32 bits", () => {
    const [one, same] = [new QuestionIds("10.0.0.1:1 10.0.0.2:2 3"), new QuestionIds("10.0.0.1:1 10.0.0.2:2 3")];
    const drawn = Array.from({ length: 1000 }, () => one.next());
    expect(drawn).toEqual(Array.from({ length: 1000 }, () => same.next()));
    expect(new Set(drawn).size).toBe(1000);
    for (const id of drawn) expect([id, id | 0]).toEqual([id, id]);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(-(2 ** 30));
  });

  it("begin again where there are no more, and are others all the same", () => {
    // It begins some three hundred before the lowest number of 32 bits.
    const ids = new QuestionIds("10.0.0.1:1 10.0.0.2:2 3575410");
    const drawn = Array.from({ length: 1000 }, () => ids.next());
    expect([Math.min(...drawn), Math.max(...drawn)]).toEqual([-(2 ** 31), -(2 ** 30)]);
    expect(new Set(drawn).size).toBe(1000);
  });

  it("are far apart for connections that differ little", () => {
    const drawn: number[] = [];
    for (let port = 40_000; port < 41_000; port++) {
      drawn.push(first(`127.0.0.1:${port} 127.0.0.1:8100 1700000000000`));
      drawn.push(first(`127.0.0.1:${port} 127.0.0.1:9100 1700000000000`));
      drawn.push(first(`127.0.0.1:40000 127.0.0.1:8100 ${1_700_000_000_001 + port}`));
    }
    drawn.sort((a, b) => a - b);
    const gaps = drawn.slice(1).map((id, n) => id - (drawn[n] ?? 0));
    // As many by chance would have some 358,000 between two of them: together they use the whole range.
    expect(Math.min(...gaps)).toBeGreaterThan(0);
    expect((drawn.at(-1) ?? 0) - (drawn[0] ?? 0)).toBeGreaterThan(2 ** 30 - 2 ** 25);
    expect(gaps.filter((gap) => gap < 1000).length).toBeLessThan(30);
  });
});

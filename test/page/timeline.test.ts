import { describe, expect, it } from "vitest";
import { Timeline, TIMELINE_SECONDS } from "../../src/page/timeline.ts";

const START = 1_700_000_000;

describe("the timeline", () => {
  it("counts what happened in each whole second", () => {
    const line = new Timeline(START * 1000);
    line.committed(START * 1000);
    line.committed(START * 1000 + 999);
    line.repaired(START * 1000 + 999);
    line.held(4, START * 1000 + 999);
    line.held(3, START * 1000 + 999);
    line.committed((START + 2) * 1000);
    line.observed((START + 2) * 1000);
    line.observed((START + 2) * 1000 + 5);
    expect(line.since(START, (START + 3) * 1000)).toEqual({
      from: START,
      commits: [2, 0, 1],
      repairs: [1, 0, 0],
      observed: [0, 0, 2],
      held: [4, 0, 0],
    });
    expect(line.since(START + 3, (START + 3) * 1000).commits).toEqual([]);
  });

  it("keeps the last ones, also after a time in which nothing happened", () => {
    const line = new Timeline(START * 1000);
    line.committed(START * 1000);
    const later = START + 10 * TIMELINE_SECONDS;
    line.committed(later * 1000);
    const { from, commits } = line.since(0, (later + 1) * 1000);
    expect(from).toBe(later + 2 - TIMELINE_SECONDS);
    expect(commits).toHaveLength(TIMELINE_SECONDS - 1);
    expect(commits.at(-1)).toBe(1);
    expect(commits.reduce((sum, one) => sum + one, 0)).toBe(1);
  });

  it("stays in its second while the clock is set back", () => {
    const line = new Timeline(START * 1000);
    line.committed((START + 5) * 1000);
    line.committed((START + 1) * 1000);
    expect(line.since(START + 5, (START + 6) * 1000).commits).toEqual([2]);
  });
});

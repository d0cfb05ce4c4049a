import { expect, it } from "vitest";
import { Setbacks } from "../../src/storage/setbacks.ts";

const HOUR_MS = 3_600_000;

it("each within an hour of the one before is one more in a row", () => {
  const setbacks = new Setbacks();
  expect([0, 1, HOUR_MS, 2 * HOUR_MS - 1].map((nowMs) => setbacks.add(nowMs))).toEqual([1, 2, 3, 4]);
  expect(setbacks.total).toBe(4);
});

it("an hour without one, and it is the first again", () => {
  const setbacks = new Setbacks();
  setbacks.add(5);
  setbacks.add(6);
  expect(setbacks.add(6 + HOUR_MS)).toBe(1);
  expect(setbacks.add(7 + HOUR_MS)).toBe(2);
  expect(setbacks.total).toBe(4);
});

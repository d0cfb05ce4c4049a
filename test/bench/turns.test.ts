import { expect, it } from "vitest";
import { quietest, rotated } from "./turns.ts";

it("has another way first in every turn", () => {
  expect([0, 1, 2, 3].map((turn) => rotated(["a", "b", "c"], turn).join(""))).toEqual(["abc", "bca", "cab", "abc"]);
});

it("keeps the half in which the direct way was fastest", () => {
  expect(quietest([5, 1, 4, 2, 3, 9, 8, 7], (direct) => direct)).toEqual([1, 2, 3, 4]);
  expect(quietest([5, 1, 4, 2, 3, 9, 8], (direct) => direct)).toEqual([1, 2, 3, 4]);
});

it("keeps three turns where there are no more than some", () => {
  expect(quietest([3, 1, 4, 2], (direct) => direct)).toEqual([1, 2, 3]);
  expect(quietest([2, 1], (direct) => direct)).toEqual([1, 2]);
});

import { expect, it } from "vitest";
import { percentile, spread } from "./statistics.ts";

it("has the median of an even and of an odd number, and what is least and most", () => {
  expect(spread([3, 1, 2])).toMatchObject({ median: 2, min: 1, max: 3 });
  expect(spread([4, 1, 2, 3])).toMatchObject({ median: 2.5, min: 1, max: 4 });
  expect(Object.values(spread([]))).toEqual(Array.from({ length: 5 }, () => Number.NaN));
});

it("has the middle half", () => {
  expect(spread([8, 7, 6, 5, 4, 3, 2, 1])).toMatchObject({ low: 3, high: 6 });
  expect(spread([5, 4, 3, 2, 1])).toMatchObject({ low: 2, high: 4 });
  expect(spread([1])).toMatchObject({ low: 1, high: 1 });
});

it("has the value below which a part of all lies", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(percentile(values, 0.5)).toBe(51);
  expect(percentile(values, 0.99)).toBe(100);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
});

import { expect, it } from "vitest";
import { Histogram } from "../../src/storage/histogram.ts";

it("a value counts up to the first bound that it does not exceed, and beyond all of them last", () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 2.1, 5, 5.1, 1e9]) histogram.add(value);
  expect([...histogram.counts]).toEqual([2, 2, 2, 2]);
  expect(histogram.sum).toBeCloseTo(1e9 + 16.7);
});

it("takes up another one", () => {
  const [one, other] = [new Histogram([1]), new Histogram([1])];
  one.add(0.5);
  other.add(2);
  other.add(3);
  one.addAll(other);
  expect([...one.counts]).toEqual([1, 2]);
  expect(one.sum).toBe(5.5);
  expect([...other.counts]).toEqual([0, 2]);
});

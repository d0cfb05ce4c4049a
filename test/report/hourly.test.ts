import { expect, test } from "vitest";
import { Hourly } from "../../src/report/hourly.ts";

const HOUR = 3_600_000;

test("the first of a kind is told at once, at whatever time", () => {
  expect(new Hourly().count("main", "tls", 0)).toEqual({ since: 1, total: 1 });
  expect(new Hourly().count("main", "tls", 123_456_789)).toEqual({ since: 1, total: 1 });
});

test("within the hour the others are only counted; the next line after it tells how many there were", () => {
  const hourly = new Hourly();
  hourly.count("main", "tls", 1000);
  expect(hourly.count("main", "tls", 1000)).toBeUndefined();
  expect(hourly.count("main", "tls", 1000 + HOUR - 1)).toBeUndefined();
  expect(hourly.count("main", "tls", 1000 + HOUR)).toEqual({ since: 3, total: 4 });
  expect(hourly.count("main", "tls", 1000 + HOUR + 1)).toBeUndefined();
  expect(hourly.count("main", "tls", 1000 + 3 * HOUR)).toEqual({ since: 2, total: 6 });
});

test("each upstream and each reason has an hour of its own", () => {
  const hourly = new Hourly();
  hourly.count("main", "tls", 0);
  expect(hourly.count("main", "mac", 1)).toEqual({ since: 1, total: 1 });
  expect(hourly.count("other", "tls", 1)).toEqual({ since: 1, total: 1 });
  expect(hourly.count("main", "tls", 1)).toBeUndefined();
});

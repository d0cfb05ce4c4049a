import { closeSync, openSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { processFigures } from "../../src/metrics/process-figures.ts";

it("the figures are the process's own", () => {
  const { cpuSeconds, residentBytes, startedSeconds } = processFigures();
  expect(cpuSeconds).toBeGreaterThan(0);
  expect(cpuSeconds).toBeLessThan(process.uptime() * 64 + 60);
  expect(residentBytes).toBeGreaterThan(10_000_000);
  expect(Math.abs(Date.now() / 1000 - process.uptime() - startedSeconds)).toBeLessThan(5);
});

it.skipIf(process.platform !== "linux")("open descriptors are counted where the system tells", () => {
  const before = processFigures().openDescriptors ?? Number.NaN;
  expect(Math.abs(readdirSync("/proc/self/fd").length - 1 - before)).toBeLessThanOrEqual(1);
  const opened = Array.from({ length: 5 }, () => openSync("/dev/null", "r"));
  expect(processFigures().openDescriptors).toBe(before + 5);
  for (const descriptor of opened) closeSync(descriptor);
  expect(processFigures().mostDescriptors).toBeGreaterThan(before);
});

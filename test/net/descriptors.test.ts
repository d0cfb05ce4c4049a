import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { descriptorLimit, limitIn, shortage } from "../../src/net/descriptors.ts";

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             127235               127235               processes
Max open files            1024                 4096                 files
Max locked memory         unlimited            unlimited            bytes
`;

it("the limit of descriptors is what Linux writes as the soft one, or is not known", () => {
  expect(limitIn(LIMITS)).toBe(1024);
  expect(limitIn(LIMITS.replace("1024 ", "unlimited"))).toBeUndefined();
  expect(limitIn("")).toBeUndefined();
});

it.runIf(process.platform === "linux")("this process has one", () => {
  expect(descriptorLimit()).toBeGreaterThan(10);
});

it.runIf(process.platform === "linux")("a look whether descriptors are left leaves none open", () => {
  const open = (): number => readdirSync("/proc/self/fd").length;
  const before = open();
  expect(shortage(20)).toBeUndefined();
  expect(open()).toBe(before);
});

import { expect } from "vitest";
import type { Ending } from "./command.ts";

const LIMITS = /^zeo-proxy: warning: the limit of open files is too low for limits\.clients \([^\n]*\)\n/m;

/** `check` found nothing, but perhaps that this machine allows few descriptors. */
export function expectGood({ status, stderr }: Ending): void {
  expect({ status, stderr: withoutLimits(stderr) }).toEqual({ status: 0, stderr: "" });
}

/** What `check` writes to standard error, but that this machine allows few descriptors. */
export function withoutLimits(stderr: string): string {
  return stderr.replace(LIMITS, "");
}

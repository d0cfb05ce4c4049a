import { readdirSync, statSync } from "node:fs";
import { descriptorLimit } from "../net/descriptors.ts";

/** Of the process, where the system tells. */
export interface ProcessFigures {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly openDescriptors: number | undefined;
  readonly mostDescriptors: number | undefined;
  /** Of the clock on the wall. */
  readonly startedSeconds: number;
}

const OPEN = "/proc/self/fd";
/** Once: the clock on the wall may be set. */
const STARTED = Date.now() / 1000 - process.uptime();

export function processFigures(): ProcessFigures {
  const { user, system } = process.cpuUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: process.memoryUsage.rss(),
    openDescriptors: openDescriptors(),
    mostDescriptors: descriptorLimit(),
    startedSeconds: STARTED,
  };
}

/** Linux has the number as the folder's size since 6.2; before that all of them are to be listed. */
function openDescriptors(): number | undefined {
  try {
    const { size } = statSync(OPEN);
    // Of a list one is the list's own.
    return size > 0 ? size : readdirSync(OPEN).length - 1;
  } catch {
    return undefined;
  }
}

import { closeSync, openSync, readFileSync } from "node:fs";
import { devNull } from "node:os";
import { codeOf } from "./system-error.ts";

/**
 * Tries to open so many. When there are none left, nobody says so: Node accepts clients with one that it has in reserve,
 * and closes them.
 * @returns the system's code where that fails
 */
export function shortage(descriptors: number): string | undefined {
  const opened: number[] = [];
  try {
    while (opened.length < descriptors) opened.push(openSync(devNull, "r"));
    return undefined;
  } catch (error) {
    return codeOf(error);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

/** How many descriptors this process may have open; undefined where the system does not tell. */
export function descriptorLimit(): number | undefined {
  try {
    return limitIn(readFileSync("/proc/self/limits", "utf8"));
  } catch {
    return undefined;
  }
}

/** As Linux writes it: name, soft limit, hard limit, unit. */
export function limitIn(limits: string): number | undefined {
  const [, soft] = /^Max open files +(\d+) /m.exec(limits) ?? [];
  return soft === undefined ? undefined : Number(soft);
}

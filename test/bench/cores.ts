import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

export type Pin = "one" | "split" | "none";

/** What is put before a command, so that it runs on its core: clients and servers, and the relays. */
export interface Cores {
  readonly ends: readonly string[];
  readonly relays: readonly string[];
  /** How it is said in a report. */
  readonly words: string;
}

export const ANY_CORE: Cores = { ends: [], relays: [], words: "no process is pinned to a core" };

/**
 * With everything on one core it doesn't matter which two processes the system happens to let run at the same time, and
 * what each way costs in all is what its clients wait for.
 */
export function coresOf(pin: Pin): Cores {
  if (pin === "none") return ANY_CORE;
  const allowed = allowedCores();
  const last = allowed.at(-1);
  if (last === undefined || !hasTaskset())
    return { ...ANY_CORE, words: "no taskset here: nothing is pinned to a core" };
  const on = (core: number): readonly string[] => ["taskset", "-c", String(core)];
  if (pin === "one") return { ends: on(last), relays: on(last), words: `everything on core ${last}` };
  const other = allowed.at(-2);
  if (other === undefined) return { ...ANY_CORE, words: "there is only one core: nothing is split" };
  return { ends: on(other), relays: on(last), words: `clients and servers on core ${other}, relays on core ${last}` };
}

function hasTaskset(): boolean {
  return spawnSync("taskset", ["--version"], { stdio: "ignore" }).status === 0;
}

function allowedCores(): number[] {
  try {
    return coresIn(readFileSync("/proc/self/status", "utf8"));
  } catch {
    return [];
  }
}

/** As Linux writes it: `Cpus_allowed_list: 0-2,5`. */
export function coresIn(status: string): number[] {
  const [, list = ""] = /^Cpus_allowed_list:\s*([\d,-]+)$/m.exec(status) ?? [];
  return list
    .split(",")
    .filter(Boolean)
    .flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

import { spawnSync } from "node:child_process";
import { cpus } from "node:os";

/** What a figure can't be told without. */
export function machine(): { date: string; revision: string; node: string; cpu: string; cores: number } {
  const all = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    revision: spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).stdout?.trim() || "?",
    node: process.version,
    cpu: all[0]?.model ?? "?",
    cores: all.length,
  };
}

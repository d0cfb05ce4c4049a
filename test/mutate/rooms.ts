/** What is mutated together: what its tests are, and what share of the mutants they must find. */
export interface Room {
  readonly name: string;
  /** Files, or folders that are mutated in whole. */
  readonly files: readonly string[];
  /** Folders and files of tests. */
  readonly tests: readonly string[];
  /** In percent. */
  readonly leastScore: number;
}

const SEEDS = "test/mutate/seeds.mutate.ts";

/** The tests of each take less than two minutes. */
export const ROOMS: readonly Room[] = [
  { name: "frame", files: ["src/wire/frame.ts"], tests: ["test/wire/frame.test.ts"], leastScore: 90 },
  { name: "storage", files: ["src/storage/"], tests: ["test/storage/", SEEDS], leastScore: 90 },
  { name: "ledger", files: ["src/ledger/"], tests: ["test/ledger/", "test/property/"], leastScore: 95 },
  { name: "session", files: ["src/session/"], tests: ["test/session/", SEEDS], leastScore: 90 },
];

/** Left out, since what they walk can become much larger when a rule is broken. */
export const ENDLESS = "switched off, a rule leaves a hole that the explorer finds";

export function roomNamed(name: string): Room {
  const room = ROOMS.find((one) => one.name === name);
  if (room === undefined) throw new Error(`no such room: ${name}`);
  return room;
}

/** Does `pattern`, a file or a folder that ends with a slash, hold this file? */
export function holds(pattern: string, file: string): boolean {
  return pattern.endsWith("/") ? file.startsWith(pattern) : file === pattern;
}

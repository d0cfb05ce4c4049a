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

const FRAME_TESTS = ["", "-bounds", "-handler", "-modes", "-tail"].map((topic) => `test/wire/frame${topic}.test.ts`);

/**
 * The tests of a room that mirror its source, and no others: that takes a minute or two, and a rule that only a random walk
 * or the simulator holds is a rule that no test says.
 */
export const ROOMS: readonly Room[] = [
  { name: "frame", files: ["src/wire/frame.ts"], tests: FRAME_TESTS, leastScore: 90 },
  { name: "storage", files: ["src/storage/"], tests: ["test/storage/"], leastScore: 90 },
  { name: "ledger", files: ["src/ledger/"], tests: ["test/ledger/"], leastScore: 95 },
  { name: "session", files: ["src/session/"], tests: ["test/session/"], leastScore: 90 },
];

/**
 * Names of tests that are left out begin with these: what they walk can become much larger when a rule is broken, or they
 * measure time.
 */
export const LEFT_OUT: readonly string[] = ["switched off, a rule leaves a hole that the explorer finds", "linear"];

export function roomNamed(name: string): Room {
  const room = ROOMS.find((one) => one.name === name);
  if (room === undefined) throw new Error(`no such room: ${name}`);
  return room;
}

/** Does `pattern`, a file or a folder that ends with a slash, hold this file? */
export function holds(pattern: string, file: string): boolean {
  return pattern.endsWith("/") ? file.startsWith(pattern) : file === pattern;
}

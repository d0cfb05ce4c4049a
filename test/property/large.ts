import { BROKEN, world, type Named } from "../explore/named.ts";
import { BACKUP, COPIED } from "../explore/rewritten.ts";

const BUSY = { clients: 3, commits: 4, connects: 2, disconnects: 2, polls: 2, reads: 2, slots: 10 } as const;
const NEW = { server: "new", ticks: true } as const;
const BROKEN_UNDO = { ends: ["unknown-commit", "incomplete-undo"] } as const;
const SHORT = { historyBytes: 0, nones: true } as const;

/** Worlds that are too large to be looked at in whole, each with another sort of trouble. */
export const LARGE: readonly Named[] = [
  world("old, coming and going", { ...BUSY, kinds: "CMBD" }),
  world("new, coming and going", { ...BUSY, ...NEW, kinds: "CMBD" }),
  world("old, broken and outside", { ...BUSY, foreign: true, cuts: 2, hangups: 1, kinds: "CME", ...BROKEN }),
  world("new, broken and outside", { ...BUSY, ...NEW, foreign: true, cuts: 2, hangups: 1, kinds: "CM", ...BROKEN }),
  world("old, broken, skipped, short history", { ...BUSY, cuts: 2, skips: 1, kinds: "CM", ...SHORT, ...BROKEN }),
  world("old, broken, read later", { ...BUSY, cuts: 2, lateCuts: true, kinds: "CM", ...BROKEN }),
  world("new, broken, read later", { ...BUSY, ...NEW, cuts: 2, lateCuts: true, kinds: "CM", ...BROKEN }),
  world("old, undo, skipped, broken", { ...BUSY, cuts: 1, hangups: 1, skips: 1, kinds: "UCM", ...BROKEN_UNDO }),
  world("new, undo, skipped", { ...BUSY, ...NEW, skips: 2, loads: true, kinds: "UC", ...BROKEN_UNDO }),
  world("old, votes fail", { ...BUSY, fails: true, serialnos: true, aborts: 1, votesAgain: 1, kinds: "CME" }),
  world("new, conflicts", { ...BUSY, ...NEW, fails: true, resolves: true, votesAgain: 1, refusals: 1, kinds: "CM" }),
  world("old, likenesses of tids", { ...BUSY, vague: true, foreign: true, kinds: "CM" }),
  world("old, slow clients", { ...BUSY, stalls: 2, halfCloses: 1, outboxLimit: 1, kinds: "CM", ...BROKEN }),
  world("new, slow clients", { ...BUSY, ...NEW, stalls: 2, halfCloses: 1, outboxLimit: 1, kinds: "CM", ...BROKEN }),
  world("old, copied", { ...BUSY, ...COPIED, commits: 2, kinds: "CM" }),
  world("new, copied", { ...BUSY, ...NEW, ...COPIED, commits: 2, kinds: "CM" }),
  world("old, a backup", { ...BUSY, ...BACKUP, commits: 1, kinds: "CM" }),
  world("new, a backup", { ...BUSY, ...NEW, ...BACKUP, commits: 1, kinds: "CM" }),
];

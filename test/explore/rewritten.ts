import { world, type Named } from "./named.ts";

/** Copied history ends all others, and then the last tid is a lower one: that looks like another database. */
export const COPIED = {
  copies: 1,
  lates: true,
  nones: true,
  ends: ["copied-history", "database-changed"],
} as const;

export const BACKUP = { restores: 1, nones: true, ticks: true, ends: ["unknown-commit", "database-changed"] } as const;

const LATER = { cold: 1, connects: 1, kinds: "C", writers: 1, polls: 0 } as const;

/** The database is not what it was: a transaction is copied to a lower tid, or a backup lacks the newest one. */
export const REWRITTEN: readonly Named[] = [
  world("old, copied", { ...COPIED, kinds: "C", polls: 0 }),
  world("old, copied, modified", { ...COPIED, kinds: "M", writers: 1, polls: 0 }),
  world("new, copied", { server: "new", ...COPIED, kinds: "M", polls: 0 }),
  world("new-patched, copied, reads", { server: "new-patched", ...COPIED, kinds: "C", polls: 1, writers: 1 }),
  world("old newcomer, copied", { ...COPIED, cold: 1, connects: 1, kinds: "C", writers: 1 }),
  world("old, a backup", { ...BACKUP, commits: 1 }),
  world("new, a backup", { server: "new", ...BACKUP, commits: 1 }),
  world("old, copied, and a commit after it", { ...COPIED, kinds: "C", commits: 3, polls: 0 }),
  world("new newcomer, copied", { server: "new", ...COPIED, cold: 1, connects: 1, kinds: "M", writers: 1, polls: 0 }),
  world("old newcomer, a backup, and a commit after it", { ...BACKUP, ...LATER }),
  world("new newcomer, a backup, and a commit after it", { server: "new", ...BACKUP, ...LATER }),
];

import { RECONNECT as BACK, world, type Named } from "./named.ts";

/** Copied history lets the last tid be a lower one, until the next commit: that sends the others away, to verify. */
export const COPIED = {
  copies: 1,
  commits: 3,
  lates: true,
  nones: true,
  ends: ["copied-history"],
} as const;

export const BACKUP = { restores: 1, nones: true, ticks: true, ends: ["unknown-commit", "database-changed"] } as const;

const LATER = { cold: 1, connects: 1, kinds: "C", writers: 1, polls: 0 } as const;

/** The database is not what it was: a transaction is copied to a lower tid, or a backup lacks the newest one. */
export const REWRITTEN: readonly Named[] = [
  world("old, copied", { ...COPIED, clients: 3, kinds: "C", polls: 0 }),
  world("old, copied, modified", { ...COPIED, kinds: "M", commits: 4, writers: 1, polls: 1 }),
  world("new, copied", { server: "new", ...COPIED, kinds: "M", commits: 4, polls: 1 }),
  world("new-patched, copied, reads", { server: "new-patched", ...COPIED, kinds: "C", polls: 2 }),
  world("old newcomer, copied", { ...COPIED, ...LATER, commits: 4, polls: 1 }),
  world("new newcomer, copied", { server: "new", ...COPIED, ...LATER, kinds: "M", commits: 4, polls: 1 }),
  world("old, copied twice, and commits after it", { ...COPIED, copies: 2, kinds: "CM", commits: 4, polls: 0 }),
  world("old, copied, and a client that comes back", { ...COPIED, ...BACK, swift: true, kinds: "C", polls: 0 }),
  world("new, copied, and a client that comes back", {
    server: "new",
    ...COPIED,
    ...BACK,
    swift: true,
    ticks: true,
    kinds: "M",
    writers: 1,
    polls: 0,
  }),
  world("old, copied, and a commit outside", { ...COPIED, foreign: true, clients: 3, kinds: "M", polls: 1 }),
  world("new, copied, and a commit outside", {
    server: "new",
    ...COPIED,
    foreign: true,
    clients: 3,
    kinds: "M",
    polls: 1,
  }),
  world("old, a backup", { ...BACKUP, commits: 1 }),
  world("new, a backup", { server: "new", ...BACKUP, commits: 1 }),
  world("old newcomer, a backup, and a commit after it", { ...BACKUP, ...LATER }),
  world("new newcomer, a backup, and a commit after it", { server: "new", ...BACKUP, ...LATER }),
];

import { BROKEN, NEWCOMER, RECONNECT, SKIPPED_UNDO, world, type Named } from "./named.ts";

/** The history can be trimmed at any moment. Who is owed what had to go is ended, and is answered None: nobody can read it back. */
const TRIMMED = { trims: 1, ends: ["too-far-behind"], nones: true } as const;
/** A new server's own message can come when its commit is forgotten, and is told once more: see `mixed.ts`. */
const NEW = { ...TRIMMED, server: "new", lates: true } as const;
const COMES = { ...NEWCOMER, clients: 3, trims: 2, polls: 0 } as const;
const BACK = { ...RECONNECT, trims: 2, polls: 0 } as const;
const UNDO = { ends: [...TRIMMED.ends, ...SKIPPED_UNDO.ends] } as const;
const CUT = { cuts: 1, ends: [...TRIMMED.ends, ...BROKEN.ends] } as const;
/** Who waits too long for the witness is ended, or told late. */
const UNREAD = { trims: 1, lates: true, nones: true, ends: [...TRIMMED.ends, "unread-commit"] } as const;
/** Whose own commit is forgotten can't be told of what is found below that. */
const UNHELD = { ...UNREAD, ends: [...UNREAD.ends, "invalidation-out-of-order"] } as const;
const WATCHED = { witness: true, nones: false } as const;
const OUTSIDE = { ...WATCHED, foreign: true } as const;

export const FORGOTTEN: readonly Named[] = [
  world("old, trimmed", { ...TRIMMED, kinds: "CM" }),
  world("new, trimmed", { ...NEW, kinds: "CM" }),
  world("old, trimmed, three commits", { ...TRIMMED, commits: 3, kinds: "C" }),
  world("old, trimmed, 3 clients", { ...TRIMMED, clients: 3, writers: 1, kinds: "C" }),
  world("new, trimmed, 3 clients", { ...NEW, clients: 3, writers: 2, kinds: "CM", polls: 0 }),
  world("old, trimmed, reconnect", { ...TRIMMED, ...BACK, kinds: "CM" }),
  world("new, trimmed, reconnect", { ...NEW, ...BACK, kinds: "CM" }),
  world("backport, trimmed, reconnect", { ...TRIMMED, ...BACK, server: "old-backport", kinds: "CD" }),
  world("new-patched, trimmed, reconnect", { ...NEW, ...BACK, server: "new-patched", kinds: "CD" }),
  world("old newcomer, trimmed", { ...TRIMMED, ...COMES, kinds: "CB" }),
  world("new newcomer, trimmed", { ...NEW, ...COMES, kinds: "CB" }),
  world("old, trimmed, outside", { ...TRIMMED, foreign: true, clients: 3, kinds: "CM" }),
  world("new, trimmed, outside", { ...NEW, foreign: true, clients: 3, kinds: "CM" }),
  world("old, trimmed, undo", { ...TRIMMED, ...BACK, trims: 1, kinds: "UC", ...UNDO }),
  world("new, trimmed, undo", { ...NEW, ...BACK, trims: 1, kinds: "UC", ...UNDO }),
  world("old, trimmed, broken", { ...TRIMMED, ...CUT, kinds: "C", polls: 0 }),
  world("new, trimmed, broken", { ...NEW, ...CUT, kinds: "C", polls: 0 }),
  world("old, watched, trimmed", { ...TRIMMED, ...OUTSIDE, kinds: "CM" }),
  world("new, watched, trimmed", { ...NEW, ...OUTSIDE, kinds: "CM" }),
  world("old, watched, trimmed, 3 clients", { ...TRIMMED, ...OUTSIDE, clients: 3, kinds: "C", polls: 0 }),
  world("new, watched, trimmed, 3 clients", { ...NEW, ...OUTSIDE, clients: 3, kinds: "C", polls: 0 }),
  world("old, watched, trimmed, reconnect", { ...TRIMMED, ...OUTSIDE, ...BACK, commits: 3, kinds: "C" }),
  world("new, watched, trimmed, reconnect", { ...NEW, ...OUTSIDE, ...BACK, kinds: "CM" }),
  world("old, watched, trimmed, nobody outside", { ...TRIMMED, ...WATCHED, ...BACK, kinds: "C" }),
  world("new, watched, trimmed, nobody outside", { ...NEW, ...WATCHED, ...BACK, kinds: "C" }),
  world("backport, watched, trimmed", { ...TRIMMED, ...OUTSIDE, ...BACK, server: "old-backport", kinds: "CD" }),
  world("new-patched, watched, trimmed", { ...NEW, ...OUTSIDE, ...BACK, server: "new-patched", kinds: "CD" }),
  world("old, watched newcomer, trimmed", { ...TRIMMED, ...OUTSIDE, ...COMES, kinds: "C" }),
  world("new, watched newcomer, trimmed", { ...NEW, ...OUTSIDE, ...COMES, trims: 1, kinds: "C" }),
  world("old, watched, trimmed, slow looks", { ...TRIMMED, ...OUTSIDE, ...BACK, slowLooks: true, kinds: "CM" }),
  world("new, watched, trimmed, slow looks", { ...NEW, ...OUTSIDE, ...BACK, slowLooks: true, kinds: "CM" }),
  world("old, watched, trimmed, the server forgets", { ...TRIMMED, ...OUTSIDE, ...BACK, forgets: true, kinds: "CM" }),
  world("new, watched, trimmed, the server forgets", { ...NEW, ...OUTSIDE, ...BACK, forgets: true, kinds: "CM" }),
  world("old, watched, trimmed, undo", { ...TRIMMED, ...OUTSIDE, ...BACK, oldClients: false, trims: 1, kinds: "CU" }),
  world("new, watched, trimmed, undo", { ...NEW, ...OUTSIDE, ...BACK, trims: 1, kinds: "CU" }),
  world("old, watched, trimmed, away", { ...TRIMMED, ...OUTSIDE, ...BACK, trims: 1, witnessDowns: 1, kinds: "C" }),
  world("new, watched, trimmed, away", { ...NEW, ...OUTSIDE, ...BACK, trims: 1, witnessDowns: 1, kinds: "C" }),
  world("old, watched, trimmed, too late", { ...TRIMMED, ...OUTSIDE, holds: 1, kinds: "CM", ...UNREAD }),
  world("new, watched, trimmed, too late", { ...NEW, ...OUTSIDE, holds: 1, kinds: "CM", ...UNREAD }),
  world("old, watched, trimmed, given up", {
    ...TRIMMED,
    ...OUTSIDE,
    ...RECONNECT,
    polls: 0,
    witnessOffs: 1,
    kinds: "C",
    ...UNHELD,
  }),
  world("new, watched, trimmed, given up", { ...NEW, ...OUTSIDE, witnessOffs: 1, kinds: "C", polls: 0, ...UNREAD }),
  world("old, watched, trimmed, broken", { ...TRIMMED, ...WATCHED, cuts: 1, writers: 1, kinds: "C", polls: 0 }),
  world("new, watched, trimmed, broken", { ...NEW, ...WATCHED, cuts: 1, writers: 1, kinds: "C", polls: 0 }),
];

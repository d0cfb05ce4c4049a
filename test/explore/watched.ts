import { ALL_RULES } from "../../src/ledger/rules.ts";
import { BROKEN, NEWCOMER, RECONNECT, world, type Named } from "./named.ts";
import { BACKUP, COPIED } from "./rewritten.ts";

const OUTSIDE = { witness: true, foreign: true } as const;
const NEW = { ...OUTSIDE, server: "new" } as const;
const UNREAD = { ends: ["unread-commit"], nones: true, lates: true } as const;
/** A granted vote goes on before what was committed elsewhere is read. */
const UNHELD = {
  ...OUTSIDE,
  ...RECONNECT,
  holds: 1,
  polls: 0,
  ...UNREAD,
  ends: [...UNREAD.ends, "invalidation-out-of-order"],
} as const;
const COPIED_LAST = {
  ...COPIED,
  ...OUTSIDE,
  holds: 1,
  kinds: "C",
  polls: 0,
  ends: [...COPIED.ends, "unread-commit", "database-changed", "invalidation-out-of-order"],
} as const;
const NO_ORPHANS = { rules: { ...ALL_RULES, readOrphans: false } } as const;

/** Worlds in which the proxy reads the storage. The first six are the reference model's. */
export const WATCHED: readonly Named[] = [
  world("old, one more outside", { ...OUTSIDE, clients: 3 }),
  world("old, one outside, undo", { ...OUTSIDE, oldClients: false, kinds: "CUE", ...RECONNECT }),
  world("new, one more outside", { ...NEW, clients: 3 }),
  world("new, one outside, undo", { ...NEW, kinds: "CU", ...RECONNECT }),
  world("old, limbo", { ...OUTSIDE, clients: 3, kinds: "C", polls: 0, ...RECONNECT, ...NO_ORPHANS }),
  world("new, limbo", { ...NEW, clients: 3, kinds: "C", polls: 0, ...RECONNECT, ...NO_ORPHANS }),
  world("old, watched, broken", { witness: true, cuts: 1, kinds: "CM", connects: 1 }),
  world("new, watched, broken", { witness: true, server: "new", cuts: 1, kinds: "CM", connects: 1 }),
  world("old, watched, broken, read later", { witness: true, cuts: 1, lateCuts: true, kinds: "CM", connects: 1 }),
  world("new, watched, broken, read later", {
    witness: true,
    server: "new",
    cuts: 1,
    lateCuts: true,
    polls: 0,
    connects: 1,
  }),
  world("old, watched newcomer", { ...OUTSIDE, clients: 3, ...NEWCOMER, writers: 1, kinds: "CB", polls: 0 }),
  world("new, watched newcomer", { ...NEW, clients: 3, ...NEWCOMER, writers: 1, kinds: "CB", polls: 0 }),
  world("old, watched, three commits", { ...OUTSIDE, commits: 3, kinds: "CM", polls: 1 }),
  world("new, watched, three commits", { ...NEW, commits: 3, kinds: "CM", polls: 1 }),
  world("old, watched, loads", { ...OUTSIDE, loads: true, kinds: "C", polls: 2, reads: 2 }),
  world("new, watched, loads", { ...NEW, loads: true, kinds: "CM", polls: 2, reads: 2 }),
  world("old, watched, quiet sessions pass by", { ...OUTSIDE, passing: true, kinds: "CM", polls: 2 }),
  world("new, watched, quiet sessions pass by", { ...NEW, passing: true, kinds: "CM", polls: 2 }),
  world("old, watched, quiet sessions pass by, reconnect", {
    ...OUTSIDE,
    ...RECONNECT,
    passing: true,
    polls: 2,
    kinds: "C",
  }),
  world("new, watched, quiet sessions pass by, reconnect", {
    ...NEW,
    ...RECONNECT,
    passing: true,
    polls: 2,
    kinds: "C",
  }),
  world("old, watched, quiet sessions pass by, away", {
    ...OUTSIDE,
    passing: true,
    kinds: "C",
    polls: 2,
    witnessDowns: 1,
  }),
  world("new, watched, quiet sessions pass by, away", { ...NEW, passing: true, kinds: "C", polls: 2, witnessDowns: 1 }),
  world("old, watched, short history, away", {
    ...OUTSIDE,
    ...RECONNECT,
    historyBytes: 0,
    kinds: "C",
    witnessDowns: 1,
  }),
  // A commit can be forgotten between its being made up and the server's own message of it.
  world("new, watched, short history, away", {
    ...NEW,
    ...RECONNECT,
    historyBytes: 0,
    kinds: "C",
    witnessDowns: 1,
    lates: true,
  }),
  world("old, the witness is away", { ...OUTSIDE, witnessDowns: 1, kinds: "CM" }),
  world("new, the witness is away", { ...NEW, witnessDowns: 1, kinds: "CM" }),
  world("old, the witness is too late", { ...OUTSIDE, holds: 1, kinds: "CM", ...UNREAD }),
  world("new, the witness is too late", { ...NEW, holds: 1, kinds: "CM", ...UNREAD }),
  world("old, the witness is given up", { ...OUTSIDE, witnessOffs: 1, kinds: "C", ...RECONNECT, ...UNREAD }),
  world("new, the witness is given up", { ...NEW, witnessOffs: 1, kinds: "C", polls: 0, ...RECONNECT, ...UNREAD }),
  world("old, watched, the server forgets", { ...OUTSIDE, ...RECONNECT, forgets: true, kinds: "CB" }),
  world("new, watched, the server forgets", { ...NEW, ...RECONNECT, forgets: true, kinds: "CB" }),
  world("old, watched, short history", { ...OUTSIDE, ...RECONNECT, historyBytes: 0, kinds: "CB" }),
  world("new, watched, short history", { ...NEW, ...RECONNECT, historyBytes: 0, kinds: "CB" }),
  world("old, watched, a vote is not held", {
    ...OUTSIDE,
    holds: 1,
    kinds: "CE",
    emptyTid: true,
    polls: 0,
    ...UNREAD,
    ends: [...UNREAD.ends, "invalidation-out-of-order"],
  }),
  world("old, watched, an empty transaction is not held", {
    ...UNHELD,
    disconnects: 0,
    connects: 0,
    commits: 4,
    kinds: "CE",
  }),
  world("old, watched, an empty transaction is not held, tids of their own, reconnect", {
    ...UNHELD,
    kinds: "CE",
    emptyTid: true,
  }),
  world("old, watched, copied, a vote is not held", COPIED_LAST),
  world("old, watched, copied far below, a vote is not held", { ...COPIED_LAST, commits: 4, copiesFarBelow: true }),
  world("old, watched, a vote is not held, reconnect", { ...UNHELD, kinds: "C" }),
  world("new, watched newcomer, short history", {
    ...NEW,
    clients: 3,
    ...NEWCOMER,
    forgets: true,
    historyBytes: 0,
    kinds: "C",
    polls: 0,
  }),
  world("new, watched, copied", { ...NEW, ...COPIED, kinds: "C", polls: 1 }),
  world("new, watched, an exception for a commit", { ...NEW, throws: 1, ticks: true, kinds: "C", polls: 0, ...BROKEN }),
  world("old, watched, an exception for a commit", { ...OUTSIDE, throws: 1, kinds: "C", polls: 0 }),
  world("old, watched, a backup", {
    ...OUTSIDE,
    ...BACKUP,
    kinds: "C",
    polls: 0,
    ends: [...BACKUP.ends, "unread-commit"],
  }),
  world("new, watched, a backup", { ...NEW, ...BACKUP, kinds: "C", polls: 0, ends: [...BACKUP.ends, "unread-commit"] }),
];

import { BROKEN, NEWCOMER, RECONNECT, SKIPPED_UNDO, world, type Named } from "./named.ts";

/** A connection that ends may be that of an undo, or of a client that was to be told of one. */
const BROKEN_UNDO = { ends: ["unknown-commit", "incomplete-undo"] } as const;
const SHORT = { historyBytes: 0, nones: true } as const;

/**
 * The history has forgotten a commit between the message of it that was made up and the server's own, which came late
 * (docs/ordering.md, order stamps): nobody knows any more whether that names something new, and it is told once more.
 */
const FORGOTTEN = { lates: true } as const;

/** Two sorts of what may happen in one world. */
export const MIXED: readonly Named[] = [
  world("old, outside, the server hangs up", { foreign: true, hangups: 1, connects: 1, ...BROKEN }),
  world("old, outside, the server hangs up, 3 clients", { foreign: true, hangups: 1, clients: 3, ...BROKEN }),
  world("new, outside, the server hangs up, 3 clients", {
    server: "new",
    foreign: true,
    hangups: 1,
    clients: 3,
    ...BROKEN,
  }),
  world("old, broken, undo", { cuts: 1, kinds: "UC", connects: 1, ...BROKEN_UNDO }),
  world("new, broken, undo", { server: "new", cuts: 1, kinds: "UC", ...BROKEN_UNDO }),
  world("old, the server hangs up, undo", { hangups: 1, kinds: "UC", connects: 1, ...BROKEN_UNDO }),
  world("new, the server hangs up, undo", { server: "new", hangups: 1, kinds: "UC", ...BROKEN_UNDO }),
  world("old, broken, read later", { cuts: 1, lateCuts: true, kinds: "M", polls: 0, ...BROKEN }),
  world("backport, broken", { server: "old-backport", cuts: 1, kinds: "CD", ...BROKEN }),
  world("new undo, a second passes", { server: "new", ticks: true, kinds: "UC" }),
  world("old, short history, reconnect", { ...SHORT, ...RECONNECT, kinds: "C" }),
  world("new, short history, reconnect", { server: "new", ...SHORT, ...RECONNECT, kinds: "C", ...FORGOTTEN }),
  world("new, short history, two reads at once", {
    server: "new",
    ...SHORT,
    kinds: "C",
    polls: 2,
    reads: 2,
    ...FORGOTTEN,
  }),
  world("old, short history, broken", { ...SHORT, cuts: 1, ...BROKEN }),
  world("new, short history, broken", { server: "new", ...SHORT, cuts: 1, ...BROKEN }),
  world("old newcomer, short history, undo", { ...SHORT, ...NEWCOMER, kinds: "UC", writers: 1, ...SKIPPED_UNDO }),
  world("old, quiet sessions pass by, reconnect", { passing: true, ...RECONNECT, kinds: "C" }),
  world("new, quiet sessions pass by, reconnect", { server: "new", passing: true, ...RECONNECT, kinds: "C" }),
  world("old, quiet sessions pass by, outside", { passing: true, foreign: true, commits: 3, polls: 2 }),
  world("new, quiet sessions pass by, outside", { server: "new", passing: true, foreign: true, polls: 2 }),
  world("old, quiet sessions pass by, broken", { passing: true, cuts: 1, ...BROKEN }),
  world("new, quiet sessions pass by, broken", { server: "new", passing: true, cuts: 1, ...BROKEN }),
  world("old, fan-out, outside", { fanOut: "early", foreign: true, commits: 3 }),
  world("old, fan-out, broken", { fanOut: "early", cuts: 1, ...BROKEN }),
  world("new, fan-out, broken", { server: "new", fanOut: "early", cuts: 1, ...BROKEN }),
  world("old, paused, outside", { foreign: true, outboxLimit: 1, commits: 3, polls: 2 }),
  world("new, paused, outside", { server: "new", foreign: true, outboxLimit: 1, commits: 3, polls: 2 }),
  world("old, paused, broken", { outboxLimit: 1, cuts: 1, polls: 2, ...BROKEN }),
  world("new, paused, undo, a second passes", { server: "new", ticks: true, outboxLimit: 1, kinds: "UC", polls: 2 }),
  world("new, conflicts resolved by the client, reconnect", {
    server: "new",
    resolves: true,
    fails: true,
    ...RECONNECT,
    kinds: "C",
    polls: 0,
  }),
  world("old newcomer, empty ones have tids", { emptyTid: true, ...NEWCOMER, kinds: "CE", commits: 3, writers: 1 }),
  world("old newcomer, conflicts in serialnos", { serialnos: true, fails: true, ...NEWCOMER }),
  world("new, the server hangs up, newcomer", {
    server: "new",
    hangups: 1,
    ...NEWCOMER,
    fresh: true,
    kinds: "C",
    writers: 1,
    ...BROKEN,
  }),
];

import { BROKEN, world, type Named } from "./named.ts";

/**
 * A client stops reading, for a while or for good. Then its server's connection is left unread where the ledger lets it,
 * and nobody else may wait for what it would have brought.
 */
export const SLOW: readonly Named[] = [
  world("old, a client reads slowly", { stalls: 1 }),
  world("new, a client reads slowly", { server: "new", stalls: 1 }),
  world("old, a client reads slowly, outside", { stalls: 1, foreign: true, commits: 3, polls: 2 }),
  world("new, a client reads slowly, outside", { server: "new", stalls: 1, foreign: true, polls: 2 }),
  world("old, a client reads slowly, 3 clients", { stalls: 1, clients: 3, writers: 2, kinds: "C", polls: 0 }),
  world("new, a client reads slowly, 3 clients", {
    server: "new",
    stalls: 1,
    clients: 3,
    writers: 1,
    kinds: "C",
    polls: 0,
  }),
  world("new, a client reads slowly, undo, a second passes", {
    server: "new",
    ticks: true,
    stalls: 1,
    kinds: "UC",
    writers: 1,
  }),
  world("old, a client reads slowly, two reads at once", { stalls: 1, kinds: "C", writers: 1, polls: 2, reads: 2 }),
  world("old, a client reads slowly, votes fail", { stalls: 1, fails: true, kinds: "C", polls: 0 }),
  world("old, a client reads slowly, broken", { stalls: 1, cuts: 1, kinds: "C", polls: 0, ...BROKEN }),
  world("new, a client reads slowly, broken", {
    server: "new",
    stalls: 1,
    cuts: 1,
    kinds: "C",
    writers: 1,
    polls: 0,
    ...BROKEN,
  }),
];

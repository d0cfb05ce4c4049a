import { NEWCOMER, world, type Named } from "./named.ts";

/** The server tells one client of one commit behind what has a higher tid. */
const LATE = { delays: 1, lates: true, foreign: true, nones: true, clients: 3 } as const;
const LOOKS_ON = { ...LATE, writers: 1, kinds: "CM", loads: true } as const;
const COMES = { ...LATE, ...NEWCOMER, clients: 4, writers: 1, kinds: "M", polls: 0 } as const;

export const TOLD_LATE: readonly Named[] = [
  world("old, told late", LOOKS_ON),
  world("old, ZEO 5 clients, told late", { ...LOOKS_ON, oldClients: false, kinds: "M" }),
  world("old newcomer, told late", COMES),
  world("old, ZEO 5 newcomer, told late", { ...COMES, oldClients: false }),
  world("new, told late", { server: "new", ...LOOKS_ON }),
  world("new newcomer, told late", { server: "new", ...COMES }),
  world("new, a committer is told late", { server: "new", ...LATE, kinds: "M", commits: 3, polls: 0 }),
  world("new, a committer is told late, and its next commit waits", {
    server: "new",
    ...LATE,
    kinds: "M",
    commits: 4,
    polls: 0,
  }),
];

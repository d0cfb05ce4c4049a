import { isNew } from "./config.ts";
import { DOUBTED } from "./doubted.ts";
import { ENDINGS } from "./endings.ts";
import { MIXED } from "./mixed.ts";
import { BROKEN, NEWCOMER, RECONNECT, SKIPPED_UNDO, world, type Named } from "./named.ts";
import { TOLD_LATE } from "./late.ts";
import { REWRITTEN } from "./rewritten.ts";
import { SLOW } from "./slow.ts";
import { FORGOTTEN } from "./trimmed.ts";
import { WATCHED } from "./watched.ts";

export type Family = "old" | "new";

/** The names of the worlds with an old server, or with a new one. */
export function withServer(family: Family, names: readonly string[]): string[] {
  return names.filter((name) => isNew(named(name).config) === (family === "new"));
}

/** Worlds of the reference model that the rules were checked with. */
export const REFERENCE: readonly Named[] = [
  world("old 2 clients", { kinds: "CMD" }),
  world("old 3 clients", { clients: 3 }),
  world("old newcomer", { clients: 3, ...NEWCOMER, writers: 1 }),
  world("old newcomer, empty cache", { ...NEWCOMER, fresh: true }),
  world("old reconnect", { ...RECONNECT, kinds: "CB" }),
  world("old fail, abort, empty", { kinds: "CME", commits: 3, fails: true, aborts: 1 }),
  world("old, new clients", { oldClients: false, clients: 3 }),
  world("old, new clients, undo", { oldClients: false, ...RECONNECT, kinds: "CU", ...SKIPPED_UNDO }),
  world("old, two reads at once", { commits: 3, polls: 2, reads: 2 }),
  world("new, two reads at once", { server: "new", polls: 2, reads: 2, fails: true }),
  world("backport 2 clients", { server: "old-backport", kinds: "CMD", commits: 3 }),
  world("backport reconnect", { server: "old-backport", ...RECONNECT, kinds: "CD" }),
  world("new 2 clients", { server: "new", kinds: "CMD", commits: 3 }),
  world("new 3 clients", { server: "new", clients: 3 }),
  world("new newcomer", { server: "new", clients: 3, ...NEWCOMER, writers: 1 }),
  world("new newcomer, empty cache", { server: "new", ...NEWCOMER, fresh: true }),
  world("new reconnect", { server: "new", ...RECONNECT }),
  world("new fail, abort, empty", { server: "new", kinds: "CME", commits: 3, fails: true, aborts: 1 }),
  world("new undo", { server: "new", kinds: "UC", polls: 2 }),
  world("old, outside, no witness", { foreign: true, clients: 3, commits: 3 }),
  world("old, the same, reconnect", { foreign: true, kinds: "CME", commits: 3, polls: 2, ...RECONNECT }),
  world("old, the same, undo", { oldClients: false, foreign: true, kinds: "CUE", ...RECONNECT, ...SKIPPED_UNDO }),
  world("new, outside, no witness", { server: "new", foreign: true, clients: 3, commits: 3 }),
  world("new, the same, undo", { server: "new", foreign: true, kinds: "CU", ...RECONNECT }),
  world("old, empty ones have tids", { emptyTid: true, kinds: "CME", commits: 3 }),
  world("old, loads", { loads: true, kinds: "C", polls: 3, reads: 3 }),
  world("new, loads", { server: "new", loads: true, polls: 2, reads: 2 }),
  world("old, paused", { loads: true, polls: 2, reads: 2, fails: true, outboxLimit: 1 }),
  world("new, paused", { server: "new", clients: 3, outboxLimit: 1 }),
  world("old, skipped", { skips: 1, kinds: "CME", commits: 3, fails: true }),
  world("old, skipped, nobody asks", { skips: 1, clients: 3, kinds: "CMU", polls: 0, ...SKIPPED_UNDO }),
  world("old, skipped, reconnect", { skips: 1, kinds: "CU", polls: 0, ...RECONNECT, ...SKIPPED_UNDO }),
  world("old, skipped newcomer, undo", { skips: 1, ...NEWCOMER, kinds: "UM", writers: 1, ...SKIPPED_UNDO }),
  world("old, broken", { cuts: 1, kinds: "CMD", ...BROKEN }),
  world("new, broken", { server: "new", cuts: 1, ...BROKEN }),
  world("new-patched", { server: "new-patched", kinds: "CD", ...RECONNECT }),
];

/**
 * The one world of the reference model that is not here: the proxy is wrong about the server. This ledger believes nothing
 * of the sort, so that world is "backport reconnect".
 */
export const OUT_OF_SCOPE = ["backport taken for old"] as const;

/** What the reference model does not have. */
export const MORE: readonly Named[] = [
  world("new, a second passes", { server: "new", ticks: true, kinds: "C" }),
  world("new, a client is skipped", { server: "new", ticks: true, skips: 1, kinds: "CM", polls: 1 }),
  world("new, a looker-on is skipped twice", {
    server: "new",
    ticks: true,
    clients: 3,
    writers: 2,
    skips: 2,
    kinds: "C",
    polls: 0,
  }),
  world("new, a newcomer is skipped, undo", {
    server: "new",
    ticks: true,
    skips: 1,
    ...NEWCOMER,
    kinds: "UC",
    writers: 1,
    ...SKIPPED_UNDO,
  }),
  world("old newcomer, short history", { ...NEWCOMER, writers: 1, historyBytes: 0, nones: true }),
  world("new newcomer, short history", { server: "new", ...NEWCOMER, writers: 1, historyBytes: 0, nones: true }),
  world("old, fan-out, message before the reply", { fanOut: "early", kinds: "CM" }),
  world("old, fan-out, message after the reply", { fanOut: "late", kinds: "CM" }),
  world("old, fan-out, undo", { fanOut: "early", kinds: "UM", polls: 1 }),
  world("new, fan-out", { server: "new", fanOut: "early", kinds: "CM" }),
  world("new, fan-out, late", { server: "new", fanOut: "late", kinds: "CM" }),
  world("old, register refused", { ...NEWCOMER, refusals: 1, kinds: "CM", writers: 1 }),
  world("new, register refused", { server: "new", ...NEWCOMER, refusals: 1, kinds: "CM", writers: 1 }),
  world("new, conflicts resolved by the client", { server: "new", resolves: true, kinds: "CM" }),
  world("old, conflicts in serialnos", { serialnos: true, fails: true, kinds: "CM" }),
  world("old, likenesses of tids", { vague: true, kinds: "CM", polls: 2, reads: 2 }),
  world("new, likenesses of tids", { server: "new", vague: true, kinds: "CM", polls: 2 }),
  world("old, quiet sessions pass by", { passing: true, kinds: "CM", polls: 2 }),
  world("new, quiet sessions pass by", { server: "new", passing: true, kinds: "CM", polls: 2 }),
  world("old, the server hangs up", { hangups: 1, kinds: "CM", ...BROKEN }),
  world("new, the server hangs up", { server: "new", hangups: 1, kinds: "CM", ...BROKEN }),
  world("old, the server hangs up, newcomer", { hangups: 1, kinds: "C", ...NEWCOMER, writers: 1, ...BROKEN }),
];

export const ALL: readonly Named[] = [
  ...REFERENCE,
  ...MORE,
  ...MIXED,
  ...ENDINGS,
  ...DOUBTED,
  ...SLOW,
  ...REWRITTEN,
  ...TOLD_LATE,
  ...WATCHED,
  ...FORGOTTEN,
];

/** Small ones, of every sort: those of `npm test`. */
export const QUICK: readonly string[] = [
  "old 2 clients",
  "old newcomer, empty cache",
  "old, the same, undo",
  "old, skipped, nobody asks",
  "old, skipped newcomer, undo",
  "old, fan-out, message before the reply",
  "old, fan-out, message after the reply",
  "old, fan-out, undo",
  "old, register refused",
  "old, conflicts in serialnos",
  "old, the server hangs up, newcomer",
  "old, outside, the server hangs up",
  "old newcomer, short history, undo",
  "old, quiet sessions pass by, outside",
  "old, fan-out, outside",
  "old, paused, outside",
  "old newcomer, short history",
  "old, broken twice, outside",
  "old, broken, nothing changed",
  "old, broken, nothing changed, outside",
  "old newcomer, a client closes its half",
  "old, a client reads slowly, broken",
  "new newcomer",
  "new newcomer, empty cache",
  "new undo",
  "new, the same, undo",
  "new, a second passes",
  "new, a looker-on is skipped twice",
  "new, a newcomer is skipped, undo",
  "new, fan-out",
  "new, fan-out, late",
  "new, register refused",
  "new, conflicts resolved by the client",
  "new, conflicts resolved by the client, reconnect",
  "new, quiet sessions pass by, outside",
  "new, paused, outside",
  "new, the server hangs up, newcomer",
  "new newcomer, short history",
  "new, broken, outside",
  "new, a client reads slowly, outside",
  "new, a client reads slowly, broken",
  "new, a backup",
];

export function named(name: string): Named {
  const found = ALL.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no world is named ${name}`);
  return found;
}

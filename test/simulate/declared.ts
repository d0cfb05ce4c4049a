import { NONSENSE } from "./client/nonsense.ts";
import { STRANGERS } from "./client/stranger.ts";
import { DEEDS, FAULTS } from "./mix.ts";
import { KINDS, styleOf } from "./style.ts";
import type { Visits } from "./visits.ts";

const FAULT_NAMES: Readonly<Record<string, string>> = {
  dialNever: "dial never",
  dialFails: "dial fails",
};

const REST: readonly string[] = [
  ...["greeted", "refused", "ready", "verified", "verified nothing", "stuck", "aborts", "was left"].map(
    (one) => `client: ${one}`,
  ),
  ...["end", "destroy", "reset"].map((how) => `client: leaves (${how})`),
  ...["foreign", "silent", "told", "in limbo", "copied", "copied below"].map((one) => `commit: ${one}`),
  ...["done", "none", "exception"].map((one) => `finish: ${one}`),
  ...["done", "exception", "refused", "conflicts", "refused store", "conflict", "conflicts to resolve"].map(
    (one) => `vote: ${one}`,
  ),
  "client: goes to the other proxy",
  "fault: address taken",
  "fault: hindered",
  "stranger: idle",
  "stranger: idle, named",
  "fault: cut in a finish",
  "fault: stopped",
  "fault: stopped, not closed",
  "subject: passed",
];

/** All that should happen some time, whatever the subject. */
export function declare(visits: Visits): void {
  visits.declare(FAULTS.map((fault) => `fault: ${FAULT_NAMES[fault] ?? fault}`));
  visits.declare(DEEDS.map((deed) => `deed: ${deed}`));
  visits.declare(NONSENSE.map((kind) => `nonsense: ${kind}`));
  visits.declare(STRANGERS.map((kind) => `stranger: ${kind}`));
  visits.declare(KINDS.map(({ name }) => `server: ${name}`));
  for (const kind of KINDS) {
    visits.declare(kind.accepts.map((protocol) => `protocol: ${protocol} ${styleOf(kind, protocol).dialect}`));
  }
  visits.declare(REST);
}

/** What a subject that repairs does. */
export const REPAIRS: readonly string[] = [
  "made up",
  "completed",
  "question",
  "resume None",
  "resume completed",
  "a load shows it early",
  "old answer",
  "old answer, truly",
  "reads again",
].map((one) => `subject: ${one}`);

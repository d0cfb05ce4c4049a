import { parseArgs } from "node:util";
import type { Pin } from "./cores.ts";
import { FULL, QUICK, type Effort } from "./plan.ts";

export const USAGE = `npm run bench [-- OPTIONS]
  --quick          a part of the workloads, less exact; a minute or so
  --only TEXT      workloads whose name has the text, such as load-4k or commit; witness: those of a proxy that has one
  --rounds N       how many turns, each with a slice for every way
  --ms N           how long a slice is, in milliseconds
  --pin CORES      one: everything on one core (the default); split: the relays on one of their own; none
  --bare           one way more: the proxy's sockets, with nothing that looks at the messages
  --sites          what the proxy takes with 50, 500 and 5,000 clients, instead
  --real           real servers and clients instead, as npm test installs them
  --profile DIR    writes CPU profiles of the plain pipe and of the proxy there
  --json FILE      writes the results there
  --svg FILE       writes a chart of them there
  --markdown FILE  writes a table of them there, as in docs/performance.md
  --against FILE   compares with results that were stored before
`;

export interface Options {
  readonly isQuick: boolean;
  readonly isReal: boolean;
  readonly isBare: boolean;
  readonly isSites: boolean;
  readonly only: string;
  readonly effort: Effort;
  readonly pin: Pin;
  readonly profile: string | undefined;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  readonly markdown: string | undefined;
  readonly against: string | undefined;
}

/** Undefined: help is wanted. Throws where the arguments say nothing that can be done; the message is for people. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      real: { type: "boolean", default: false },
      bare: { type: "boolean", default: false },
      sites: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      rounds: { type: "string" },
      ms: { type: "string" },
      pin: { type: "string", default: "one" },
      profile: { type: "string" },
      json: { type: "string" },
      svg: { type: "string" },
      markdown: { type: "string" },
      against: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const basis = values.quick ? QUICK : FULL;
  const effort = { ...basis, rounds: Number(values.rounds ?? basis.rounds), ms: Number(values.ms ?? basis.ms) };
  const { pin } = values;
  if (pin !== "one" && pin !== "split" && pin !== "none") throw new Error(USAGE);
  if (!Number.isSafeInteger(effort.rounds) || effort.rounds < 1 || !(effort.ms > 0)) throw new Error(USAGE);
  const {
    quick: isQuick,
    real: isReal,
    bare: isBare,
    sites: isSites,
    only,
    profile,
    json,
    svg,
    markdown,
    against,
  } = values;
  return { isQuick, isReal, isBare, isSites, only, effort, pin, profile, json, svg, markdown, against };
}

import type { Happening, Observed, Report } from "./happening.ts";

/**
 * How a shadow, and a storage that only shadows use, tell what happens: what they would have done is told as `observed`, what is
 * so all the same as it is, and what is the session's own affair not at all.
 */
export function tellObserved(report: Report): Report {
  return (happening) => {
    if (isObserved(happening)) report({ what: "observed", happening });
    else if (TOLD[happening.what] === "as-it-is") report(happening);
  };
}

function isObserved(happening: Happening): happening is Observed {
  return TOLD[happening.what] === "observed";
}

const TOLD: Readonly<Record<Happening["what"], "observed" | "as-it-is" | "not">> = {
  repaired: "observed",
  resumed: "observed",
  "old-answer": "observed",
  ended: "observed",
  announced: "observed",
  committed: "as-it-is",
  "ledger-ended": "observed",
  "copied-history": "observed",
  foreign: "as-it-is",
  unwatched: "as-it-is",
  watched: "as-it-is",
  "set-back-again": "as-it-is",
  failed: "as-it-is",
  // The server's own answer, and what its client has to live with.
  "not-resumed": "as-it-is",
  "in-limbo": "as-it-is",
  // It is relayed at once.
  "told-late": "not",
  "held-long": "not",
  "held-over": "not",
  asked: "not",
  // The session itself says so.
  opened: "not",
  closed: "not",
  relayed: "not",
  // These are no session's.
  observed: "not",
  listening: "not",
  down: "not",
  moved: "not",
  blocked: "not",
  trouble: "not",
  "trouble-over": "not",
  "several-addresses": "not",
  up: "not",
  full: "not",
  room: "not",
  "few-descriptors": "not",
  "tls-failed": "not",
  refused: "not",
  unguarded: "not",
  unverified: "not",
  "admin-listening": "not",
  "admin-failed": "not",
};

import { ALL_RULES } from "../../src/ledger/rules.ts";
import type { RangeRead, WitnessSource } from "../../src/storage/witness.ts";
import { Product, type Flawed } from "./proxy.ts";
import type { SubjectMaker } from "./subject.ts";

/** What the product could do wrong; the checks must find each. */
export type ProxyFlaw =
  | "leaves old answers as they are"
  | "answers from what it does not know behind its start"
  | "takes what passed by it as told"
  | "tells what another proxy has told"
  | "waits for no look"
  | "gives up what it could read";

const FLAWS: Readonly<Record<ProxyFlaw, Flawed>> = {
  "leaves old answers as they are": { isDeaf: true },
  "answers from what it does not know behind its start": {
    rules: { ...ALL_RULES, readPast: false, resumeWithinReach: false },
  },
  "takes what passed by it as told": {
    seen: reading((read) => (read.kind === "read" ? { ...read, found: [] } : read)),
  },
  "tells what another proxy has told": { rules: { ...ALL_RULES, registerCovers: false } },
  "waits for no look": { rules: { ...ALL_RULES, lookFirst: false } },
  "gives up what it could read": { seen: reading(() => ({ kind: "failed", reason: "a flaw" })) },
};

/** The product with one flaw. */
export function flawed(flaw: ProxyFlaw): SubjectMaker {
  return (surroundings) => new Product(surroundings, FLAWS[flaw]);
}

/** Something else becomes of each range that its own client reads. */
function reading(becomes: (read: RangeRead) => RangeRead): (source: WitnessSource) => WitnessSource {
  return (source) => (told) => {
    const witness = source(told);
    const read = witness.read.bind(witness);
    witness.read = (range, isSkipped, done) => read(range, isSkipped, (result) => done(becomes(result)));
    return witness;
  };
}

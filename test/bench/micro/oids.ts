import { bench, group } from "mitata";
import { difference, oidSet, union } from "../../../src/ledger/oid-set.ts";
import { scatteredOids, sortedOids } from "./samples.ts";

export function oidBenches(): void {
  group("sets of oids", () => {
    for (const count of [10, 1_000, 100_000]) {
      const sorted = sortedOids(count);
      const scattered = scatteredOids(count);
      const set = oidSet(sorted);
      const half = oidSet(sorted.subarray(0, 8 * (count / 2)));
      bench(`a set of ${count}, in order`, () => oidSet(sorted));
      bench(`a set of ${count}, in no order`, () => oidSet(scattered));
      bench(`${count} without half of them`, () => difference(set, half));
      bench(`${count} with half of them`, () => union(half, set));
    }
  });
}

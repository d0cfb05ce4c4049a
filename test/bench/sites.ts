import type { Cores } from "./cores.ts";
import type { ScenarioName } from "./load.ts";
import { memory } from "./process-figures.ts";
import { Stage, type Sample } from "./rounds.ts";
import { percentile } from "./statistics.ts";
import { rounded } from "./table.ts";

const MIB = 0x10_0000;
const SITES: readonly { readonly clients: number; readonly inARow: ScenarioName; readonly quiet: ScenarioName }[] = [
  { clients: 50, inARow: "site-50", quiet: "site-50-quiet" },
  { clients: 500, inARow: "site-500", quiet: "site-500-quiet" },
  { clients: 5_000, inARow: "site-5000", quiet: "site-5000-quiet" },
];
const WARM_UP_MS = 12_000;
const IN_A_ROW_MS = 3_000;
const QUIET_MS = 8_000;

/** What the proxy takes for a site with so many clients, one of which commits ten objects: a line of a table for each. */
export async function sites(cores: Cores): Promise<void> {
  console.log(
    "| clients | resident, MiB | CPU for a commit, ms | told after, ms | CPU for a commit, two a second, ms |",
  );
  console.log("| ---: | ---: | ---: | ---: | ---: |");
  for (const site of SITES) {
    const stage = new Stage();
    try {
      await stage.start(["proxy"], [], cores);
      await stage.prepare(site.inARow, "proxy");
      await stage.slice("proxy", WARM_UP_MS);
      const inARow = await stage.slice("proxy", IN_A_ROW_MS);
      const residentMiB = (memory(stage.pid("proxy"))?.residentBytes ?? Number.NaN) / MIB;
      await stage.close();
      await stage.prepare(site.quiet, "proxy");
      const quiet = await stage.slice("proxy", QUIET_MS);
      await stage.close();
      const told = percentile(inARow.measured.waits, 0.5);
      const figures = [residentMiB, cpuMs(inARow), told, cpuMs(quiet)].map(rounded);
      console.log(`| ${[site.clients.toLocaleString("en-US"), ...figures].join(" | ")} |`);
    } finally {
      await stage.stop();
    }
  }
}

/** For a commit. */
function cpuMs({ cpuUsPerMessage, measured: { messages, amount } }: Sample): number {
  return ((cpuUsPerMessage ?? Number.NaN) * messages) / amount / 1000;
}

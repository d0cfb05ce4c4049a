import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { FULL, QUICK, SCENARIOS } from "./plan.ts";
import { report } from "./report.ts";
import { Stage } from "./rounds.ts";

const USAGE = `npm run bench [-- OPTIONS]
  --quick          under half a minute, less exact
  --rounds N       how often each scenario is measured
  --ms N           for how many milliseconds each time
  --only TEXT      scenarios whose name has the text, such as loads-16 or commits
  --profile DIR    writes CPU profiles of the relays there
`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    ms: { type: "string" },
    only: { type: "string", default: "" },
    profile: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

async function main(): Promise<void> {
  const basis = values.quick ? QUICK : FULL;
  const effort = { rounds: Number(values.rounds ?? basis.rounds), ms: Number(values.ms ?? basis.ms) };
  const scenarios = SCENARIOS.filter(({ name }) => name.includes(values.only));
  const isSound = Number.isSafeInteger(effort.rounds) && effort.rounds > 0 && effort.ms > 0 && scenarios.length > 0;
  if (!isSound) throw new Error(USAGE);
  const profile = values.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${values.profile}`];
  const stage = new Stage();
  const missed: string[] = [];
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "?"}`);
  console.log(`Median [least – most] of ${effort.rounds} rounds of ${effort.ms} ms\n`);
  try {
    await stage.start(["pipe", "proxy"], profile);
    for (const scenario of scenarios) {
      const result = report(scenario, await stage.rounds(scenario, effort));
      console.log(`${result.lines.join("\n")}\n`);
      missed.push(...result.missed);
    }
  } finally {
    await stage.stop();
  }
  if (missed.length === 0) console.log("All targets are met.");
  else console.log(`Missed:\n${missed.map((line) => `  ${line}`).join("\n")}`);
}

if (values.help) console.log(USAGE);
else await main();

import { realTurns } from "./measure.ts";
import { realResults, realTable, type RealResult } from "./report.ts";
import { RealStage } from "./stage.ts";

const TURNS = 20;
const OBSERVERS = 10;

/** Real servers and clients: the unpatched servers behind the proxy, and the first patched one behind a plain pipe. */
export async function realRun(turns: number = TURNS): Promise<readonly RealResult[]> {
  const stage = new RealStage();
  try {
    await stage.start(OBSERVERS);
    const runs = await realTurns(stage.ways, turns);
    const results = realResults(runs.map(({ way, samples }) => ({ title: way.title, samples })));
    console.log(`Real servers, clients of ZEO 5.2.2, ${OBSERVERS} observers; the quieter half of ${turns} turns\n`);
    console.log(realTable(results));
    return results;
  } finally {
    await stage.stop();
  }
}

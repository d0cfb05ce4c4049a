import type { Pair, Result, Run } from "./result.ts";
import type { Spread } from "./statistics.ts";
import { peerOf } from "./witness/peer.ts";

/**
 * What got slower or faster since another run. Two runs have had different machines, or the same one with something else
 * to do: so what is compared are the ratios to the plain pipe. A difference counts where the middle halves of the turns
 * don't even touch.
 */
export function compared(before: Run, now: Run): string[] {
  const lines: string[] = [];
  const olds = [...before.results, ...(before.witness ?? [])];
  for (const result of [...now.results, ...(now.witness ?? [])]) {
    const old = olds.find(({ name }) => name === result.name);
    if (old !== undefined) lines.push(...differences(old, result));
  }
  const head = `Against ${before.revision} of ${before.date}:`;
  return lines.length === 0 ? [`${head} nothing has changed beyond the spread.`] : [head, ...lines];
}

function differences(old: Result, result: Result): string[] {
  const { pair, words } = peerOf(result) ?? OF_PIPE;
  const [was, is] = [old.ratios[pair], result.ratios[pair]];
  return [
    ...difference(`${result.name}: ${result.unit}, ${words}`, was?.figure, is?.figure, result.lessIsBetter),
    ...difference(`${result.name}: CPU, ${words}`, was?.cpu, is?.cpu, true),
  ];
}

const OF_PIPE: { readonly pair: Pair; readonly words: string } = { pair: "proxy:pipe", words: "of the pipe's" };

function difference(
  what: string,
  was: Spread | undefined,
  is: Spread | undefined,
  lessIsBetter: boolean,
): readonly string[] {
  if (was === undefined || is === undefined) return [];
  const isMore = is.low > was.high;
  if (!isMore && is.high >= was.low) return [];
  const verdict = isMore === lessIsBetter ? "SLOWER" : "faster";
  return [`  ${what}: ${was.median.toFixed(2)} before, ${is.median.toFixed(2)} now: ${verdict}`];
}

import type { Result, Run } from "./result.ts";
import type { Spread } from "./statistics.ts";

/**
 * What got slower or faster since another run. Two runs have had different machines, or the same one with something else
 * to do: so what is compared are the ratios to the plain pipe. A difference counts where the middle halves of the turns
 * don't even touch.
 */
export function compared(before: Run, now: Run): string[] {
  const lines: string[] = [];
  for (const result of now.results) {
    const old = before.results.find(({ name }) => name === result.name);
    if (old !== undefined) lines.push(...differences(old, result));
  }
  const head = `Against ${before.revision} of ${before.date}:`;
  return lines.length === 0 ? [`${head} nothing has changed beyond the spread.`] : [head, ...lines];
}

function differences(old: Result, result: Result): string[] {
  const [was, is] = [old.ratios["proxy:pipe"], result.ratios["proxy:pipe"]];
  return [
    ...difference(`${result.name}: ${result.unit}`, was?.figure, is?.figure, result.lessIsBetter),
    ...difference(`${result.name}: CPU`, was?.cpu, is?.cpu, true),
  ];
}

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
  return [`  ${what}, of the pipe's: ${was.median.toFixed(2)} before, ${is.median.toFixed(2)} now: ${verdict}`];
}

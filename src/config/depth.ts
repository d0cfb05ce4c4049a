import type { CST } from "yaml";
import { Parser } from "yaml";

/** Our schema has four levels; the rest is for the sake of good messages. */
const MAX_DEPTH = 64;

/**
 * Finds where a YAML text nests deeper than any configuration does. The composer that follows recurses, and a stack
 * exhausted inside a regular expression ends the process, not in an exception; so this looks first, without recursion.
 * @returns the offset of the first collection that is too deep
 */
export function findTooDeep(text: string): number | undefined {
  const open: [CST.Token, number][] = [...new Parser().parse(text)].map((token) => [token, 0]);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [token, depth] = next;
    if (depth > MAX_DEPTH) return token.offset;
    for (const inner of within(token)) open.push([inner, depth + 1]);
  }
  return undefined;
}

function within(token: CST.Token): CST.Token[] {
  if (token.type === "document") return token.value === undefined ? [] : [token.value];
  if (!("items" in token)) return [];
  return token.items.flatMap(({ key, value }) => [key, value].filter((part) => part !== undefined && part !== null));
}

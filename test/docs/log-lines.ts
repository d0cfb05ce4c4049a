// Finds the lines of the log in the sources, so that a document can be held against them.

/** A call of a logger: `logger.warn(`, `this.#logger.info(`, `log.logger[level](`. */
const CALL = /\blogger(?:\.(?:trace|debug|info|warn|error|fatal)|\[level\])\(/g;

/**
 * What a source's calls of a logger write: the text that is the last argument of each, or the texts between which it chooses.
 * @throws Error for a call whose line can't be read there
 */
export function logLinesIn(source: string): string[] {
  return [...source.matchAll(CALL)].flatMap(({ 0: call, index }) => {
    const last = argumentsFrom(source, index + call.length).at(-1) ?? "";
    const texts = [...last.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text = ""]) => text);
    if (texts.length === 0) throw new Error(`expected a text as the last argument of ${call} at ${index}, got ${last}`);
    return texts;
  });
}

/** The arguments of a call whose first one begins there, as they are written. */
function argumentsFrom(source: string, start: number): string[] {
  const found: string[] = [];
  let depth = 0;
  let begin = start;
  for (let at = start; at < source.length; at++) {
    const character = source[at] ?? "";
    if (character === '"' || character === "`") at = endOfText(source, at);
    else if ("([{".includes(character)) depth++;
    else if (depth === 0 && (character === "," || character === ")")) {
      found.push(source.slice(begin, at).trim());
      if (character === ")") return found.filter((one) => one !== "");
      begin = at + 1;
    } else if (")]}".includes(character)) depth--;
  }
  throw new Error(`expected the end of the call at ${start}`);
}

/** Where the text that begins at a quote has its other one. */
function endOfText(source: string, start: number): number {
  const quote = source[start];
  let at = start + 1;
  while (at < source.length && source[at] !== quote) at += source[at] === "\\" ? 2 : 1;
  return at;
}

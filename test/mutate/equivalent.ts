/** A mutant that no test can find, since nothing that anybody could see is different. */
export interface Equivalent {
  readonly file: string;
  /** As in `Mutant`. */
  readonly line: string;
  readonly text: string;
  readonly becomes: string;
  readonly why: string;
}

/** A line, what of it is replaced, and what it becomes: as `npm run mutate` shows those that survive. */
type Change = readonly [line: string, text: string, becomes: string];

/** They are equivalent for one reason. */
function since(why: string, file: string, ...changes: readonly Change[]): Equivalent[] {
  return changes.map(([line, text, becomes]) => ({ file, line, text, becomes, why }));
}

/** Each is looked at again when its line changes: one that doesn't occur any more, or that a test finds, is an error. */
export const EQUIVALENT: readonly Equivalent[] = [
  ...since(
    "whether a frame passes matters only while something of it is left, and is said whenever that is",
    "src/wire/frame.ts",
    ["#passing = true;", "true", "false"],
    ["this.#passing = true;", "true", "false"],
  ),
  ...since("a mode is stopped if it is none of the others", "src/wire/frame.ts", [
    'this.#mode = "stopped";',
    '"stopped"',
    '""',
  ]),
  ...since(
    "of a frame with nothing left #continue takes nothing",
    "src/wire/frame.ts",
    ["if (this.#left > 0) {", "this.#left > 0", "true"],
    ["if (this.#left > 0) {", "this.#left > 0", "this.#left >= 0"],
  ),
  ...since("it is called only where there is work", "src/wire/frame.ts", ["work?.();", "work?.()", "work()"]),
  ...since("nothing equals a variant that is none", "src/storage/encoder.ts", [
    "if (variants === undefined) this.#encoded.set(announcement, (variants = []));",
    "[]",
    '["Stryker was here"]',
  ]),
  ...since("nothing is told of before somebody has joined", "src/storage/storage.ts", [
    '#lastUpstream = "";',
    '""',
    '"Stryker was here!"',
  ]),
  ...since("numbers are compared with each other, and with nothing else", "src/storage/storage.ts", [
    "const number = ++this.#lastNumber;",
    "++this.#lastNumber",
    "--this.#lastNumber",
  ]),
  ...since("nothing is deleted of a set where undefined is", "src/storage/storage.ts", [
    "if (member !== undefined) this.#paused.delete(member);",
    "member !== undefined",
    "true",
  ]),
  ...since("the ledger takes a session that it doesn't know for quiet", "src/storage/storage.ts", [
    "if (settles !== this.#settles || (session !== undefined && !this.ledger.isQuiet(session))) this.#schedule();",
    "session !== undefined",
    "true",
  ]),
];

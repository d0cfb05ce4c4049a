import { ProtocolError } from "../errors.ts";

/** Text opcodes of protocol 0. No known peer writes them in a message; objects inside a message can have them. */

const SIMPLE: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** The bytes of a `STRING` opcode's line: a quoted Python 2 string literal. */
export function quotedString(line: string, offset: number): Buffer {
  const quote = line[0];
  if (line.length < 2 || (quote !== "'" && quote !== '"') || line.at(-1) !== quote) {
    throw new ProtocolError("bad-pickle", offset, "a quoted string", "another line");
  }
  const text = line
    .slice(1, -1)
    .replace(
      /\\(?:x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))/g,
      (whole: string, hex?: string, octal?: string, one?: string) => {
        if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
        if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
        return SIMPLE[one ?? ""] ?? whole;
      },
    );
  return Buffer.from(text, "latin1");
}

/** The text of a `UNICODE` opcode's line: raw-unicode-escape. */
export function rawUnicode(line: string, offset: number): string {
  return line.replace(/\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))/g, (_whole: string, short?: string, long?: string) => {
    const code = Number.parseInt(short ?? long ?? "0", 16);
    if (code > 0x10ffff) throw new ProtocolError("bad-pickle", offset, "a character", "a number above 0x10ffff");
    return String.fromCodePoint(code);
  });
}

const FLOAT = /^\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$/;

/** The number of a `FLOAT` opcode's line. */
export function textFloat(line: string, offset: number): number {
  if (FLOAT.test(line)) return Number(line);
  const special = /^([+-]?)(inf|nan)(?:inity)?$/i.exec(line);
  if (special === null) throw new ProtocolError("bad-pickle", offset, "a float", "another line");
  if (special[2]?.toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

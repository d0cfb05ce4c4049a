import { ProtocolError } from "../errors.ts";

/** Text opcodes of protocol 0. No known peer writes them in a message; objects inside a message can have them. */

const BACKSLASH = 0x5c;
const SINGLE = 0x27;
const DOUBLE = 0x22;

/** What stands for one byte behind a backslash. */
const SIMPLE: ReadonlyMap<number, number> = new Map(
  [
    ["\\", 0x5c],
    ["'", SINGLE],
    ['"', DOUBLE],
    ["a", 0x07],
    ["b", 0x08],
    ["f", 0x0c],
    ["n", 0x0a],
    ["r", 0x0d],
    ["t", 0x09],
    ["v", 0x0b],
  ].map(([letter, byte]) => [(letter as string).charCodeAt(0), byte as number]),
);

/** The bytes of a `STRING` opcode's line: a quoted Python 2 string literal. */
export function quotedString(line: Buffer, offset: number): Buffer {
  const quote = line[0];
  if (line.length < 2 || (quote !== SINGLE && quote !== DOUBLE) || line.at(-1) !== quote) {
    throw new ProtocolError("bad-pickle", offset, "a quoted string", "another line");
  }
  const end = line.length - 1;
  const bytes = Buffer.allocUnsafe(end);
  let length = 0;
  for (let at = 1; at < end;) {
    const byte = line[at++] as number;
    if (byte !== BACKSLASH || at === end) {
      bytes[length++] = byte;
      continue;
    }
    const next = line[at] as number;
    const hex = next === 0x78 && at + 2 < end ? hexAt(line, at + 1, 2) : -1;
    const digits = hex < 0 ? octalDigits(line, at, end) : 0;
    const simple = SIMPLE.get(next);
    if (hex >= 0) {
      bytes[length++] = hex;
      at += 3;
    } else if (digits > 0) {
      bytes[length++] = Number.parseInt(line.toString("latin1", at, at + digits), 8) & 0xff;
      at += digits;
    } else if (simple === undefined) {
      bytes[length++] = BACKSLASH;
    } else {
      bytes[length++] = simple;
      at++;
    }
  }
  return bytes.subarray(0, length);
}

function octalDigits(line: Buffer, at: number, end: number): number {
  let digits = 0;
  while (digits < 3 && at + digits < end && ((line[at + digits] as number) & 0xf8) === 0x30) digits++;
  return digits;
}

/** The number that so many hexadecimal digits are; -1 where another byte is among them. */
function hexAt(line: Buffer, at: number, digits: number): number {
  let number = 0;
  for (let i = at; i < at + digits; i++) {
    const byte = line[i] ?? 0;
    const letter = (byte | 0x20) - 0x61;
    if (byte >= 0x30 && byte <= 0x39) number = number * 16 + byte - 0x30;
    else if (letter >= 0 && letter < 6) number = number * 16 + letter + 10;
    else return -1;
  }
  return number;
}

/** The text of a `UNICODE` opcode's line: raw-unicode-escape. */
export function rawUnicode(line: Buffer, offset: number): string {
  let text = "";
  let from = 0;
  for (let at = line.indexOf(BACKSLASH); at >= 0; at = line.indexOf(BACKSLASH, at)) {
    const digits = line[at + 1] === 0x75 ? 4 : line[at + 1] === 0x55 ? 8 : 0;
    const code = digits > 0 && at + 2 + digits <= line.length ? hexAt(line, at + 2, digits) : -1;
    if (code > 0x10ffff) throw new ProtocolError("bad-pickle", offset, "a character", "a number above 0x10ffff");
    if (code < 0) {
      at++;
      continue;
    }
    text += line.toString("latin1", from, at) + String.fromCodePoint(code);
    at += 2 + digits;
    from = at;
  }
  return text + line.toString("latin1", from);
}

// Digits can match in one way only: else a long line that is no number takes quadratic time.
const FLOAT = /^\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$/;

/** The number of a `FLOAT` opcode's line. */
export function textFloat(line: string, offset: number): number {
  if (FLOAT.test(line)) return Number(line);
  const special = /^([+-]?)(inf|nan)(?:inity)?$/i.exec(line);
  if (special === null) throw new ProtocolError("bad-pickle", offset, "a float", "another line");
  if (special[2]?.toLowerCase() === "nan") return Number.NaN;
  return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

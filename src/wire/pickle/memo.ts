import type { Work } from "../work.ts";
import type { Span } from "./outline.ts";
import * as op from "./opcodes.ts";
import * as walk from "./walk.ts";

// Names of this module: as properties of another one they are slow to read under vitest, by getters.
const { BINGET, BINPUT, GET, LONG_BINGET, LONG_BINPUT, MEMOIZE, PUT } = op;
const { NOISE, PUSHES, effectOf, opcodeEnd } = walk;

/**
 * Where the number, text or byte string stands that the memo read (`BINGET`, `LONG_BINGET`, `GET`) at `at` brings back;
 * undefined when nothing of that kind was memoized, or no memo read stands there. Found by walking over all that stands
 * before it: rare, so it is searched anew each time instead of being kept.
 */
export function memoized(bytes: Buffer, at: number, work?: Work): Span | undefined {
  const code = bytes[at];
  if (code !== BINGET && code !== LONG_BINGET && code !== GET) return undefined;
  const wanted = indexAt(bytes, at);
  let count = 0;
  /** The value on top, as long as it is one opcode. */
  let from = -1;
  let end = -1;
  for (let i = 0; i < at;) {
    const next = opcodeEnd(bytes, i);
    if (next < 0) return undefined;
    work?.spend(1, i);
    const here = bytes[i] as number;
    const effect = effectOf(here);
    if (here === MEMOIZE || here === BINPUT || here === LONG_BINPUT || here === PUT) {
      const index = here === MEMOIZE ? count : indexAt(bytes, i);
      count++;
      if (index === wanted) return from < 0 ? undefined : { from, end };
    } else if (effect === PUSHES) {
      from = i;
      end = next;
    } else if (effect !== NOISE) {
      from = -1;
    }
    i = next;
  }
  return undefined;
}

/** The index of a memo opcode, which is there to its end; -1 for a line that is no small number. */
export function indexAt(bytes: Buffer, at: number): number {
  const code = bytes[at];
  if (code === BINGET || code === BINPUT) return bytes[at + 1] ?? -1;
  if (code === LONG_BINGET || code === LONG_BINPUT) return bytes.readUInt32LE(at + 1);
  let index = 0;
  for (let i = at + 1; i < at + 1 + MAX_DIGITS; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return bytes[i] === 0x0a && i > at + 1 ? index : -1;
    index = index * 10 + digit;
  }
  return -1;
}

const MAX_DIGITS = 16;

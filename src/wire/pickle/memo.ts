import { AtomCursor, BYTES, OTHER, SHORT } from "./atoms.ts";
import * as op from "./opcodes.ts";

/**
 * The byte string that the memo read (`BINGET`, `LONG_BINGET`) at `at` brings back, found by walking over the atoms
 * before it. Undefined when there is none; `short` when the opcode itself is cut. `next` is the offset behind the
 * opcode. Rare, so it is searched anew each time instead of being kept.
 */
export function findMemo(
  bytes: Buffer,
  at: number,
): { readonly start: number; readonly length: number; readonly next: number } | "short" | undefined {
  let wanted: number;
  let next: number;
  if (bytes[at] === op.BINGET) {
    next = at + 2;
    if (next > bytes.length) return "short";
    wanted = bytes[at + 1] as number;
  } else if (bytes[at] === op.LONG_BINGET) {
    next = at + 5;
    if (next > bytes.length) return "short";
    wanted = bytes.readUInt32LE(at + 1);
  } else {
    return undefined;
  }

  const cursor = new AtomCursor(bytes, bytes[0] === op.PROTO ? 2 : 0);
  let memoized = 0;
  let start = -1;
  let length = 0;
  while (cursor.at < at) {
    const code = bytes[cursor.at];
    let index = -1;
    if (code === op.BINPUT) index = bytes[cursor.at + 1] as number;
    else if (code === op.LONG_BINPUT) index = bytes.readUInt32LE(cursor.at + 1);
    else if (code === op.MEMOIZE) index = memoized;
    if (index >= 0) {
      memoized++;
      if (index === wanted) return start < 0 ? undefined : { start, length, next };
      cursor.at += code === op.BINPUT ? 2 : code === op.LONG_BINPUT ? 5 : 1;
      continue;
    }
    if (code === op.FRAME) {
      cursor.at += 9;
      continue;
    }
    const kind = cursor.next();
    if (kind === SHORT) return undefined;
    if (kind === OTHER) {
      cursor.at += 1;
      start = -1;
    } else if (kind === BYTES) {
      ({ start, length } = cursor);
    } else {
      start = -1;
    }
  }
  return undefined;
}

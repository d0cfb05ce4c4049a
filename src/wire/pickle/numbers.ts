import { ProtocolError } from "../errors.ts";

/** Longer integers are refused: no peer has them, and reading decimal digits takes more than linear time. */
const MAX_DIGITS = 1024;
const MAX_LONG_BYTES = 1024;

const DECIMAL = /^[+-]?[0-9]+$/;

/** The number itself where a double holds it exactly. */
export function smallest(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

/** The digits of an `INT` or `LONG` opcode. `L` is what Python 2 writes behind a long. */
export function textInteger(text: string, offset: number): number | bigint {
  const digits = text.endsWith("L") ? text.slice(0, -1) : text;
  if (digits.length > MAX_DIGITS || !DECIMAL.test(digits)) {
    throw new ProtocolError("bad-pickle", offset, "a decimal integer", `${text.length} other characters`);
  }
  const small = Number(digits);
  if (Number.isSafeInteger(small)) return small === 0 ? 0 : small;
  return BigInt(digits.startsWith("+") ? digits.slice(1) : digits);
}

/** The same of a line of so many bytes. A long one is not even looked at. */
export function lineInteger(bytes: Buffer, start: number, length: number): number | bigint {
  if (length > MAX_DIGITS + 2) {
    throw new ProtocolError("bad-pickle", start, `an integer of at most ${MAX_DIGITS} digits`, `${length} bytes`);
  }
  return textInteger(bytes.toString("latin1", start, start + length), start);
}

/** Little-endian two's complement, as `LONG1` and `LONG4` have it. The caller has checked the bounds. */
export function longInteger(bytes: Buffer, start: number, length: number): number | bigint {
  if (length > MAX_LONG_BYTES) {
    throw new ProtocolError("bad-pickle", start, `an integer of at most ${MAX_LONG_BYTES} bytes`, `${length} bytes`);
  }
  if (length === 0) return 0;
  if (length <= 6) {
    const small = bytes.readIntLE(start, length);
    return small === 0 ? 0 : small;
  }
  // Hexadecimal digits are read in linear time.
  const digits = Buffer.from(bytes.subarray(start, start + length))
    .reverse()
    .toString("hex");
  return smallest(BigInt.asIntN(length * 8, BigInt(`0x${digits}`)));
}

/** The fewest bytes of two's complement that hold the value, little-endian; none for zero. */
export function longBytes(value: bigint): Buffer {
  if (value === 0n) return Buffer.alloc(0);
  let length = 1;
  while (BigInt.asIntN(length * 8, value) !== value) length++;
  const bytes = Buffer.allocUnsafe(length);
  let rest = BigInt.asUintN(length * 8, value);
  for (let i = 0; i < length; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

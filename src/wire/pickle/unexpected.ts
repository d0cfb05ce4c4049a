import { ProtocolError } from "../errors.ts";

/** Another opcode, or the end where `code` is undefined, stands where that was expected. */
export function unexpected(at: number, expected: string, code: number | undefined): ProtocolError {
  return new ProtocolError(
    "bad-pickle",
    at,
    expected,
    code === undefined ? "the end" : `opcode 0x${code.toString(16)}`,
  );
}

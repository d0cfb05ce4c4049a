import { ID_BYTES } from "./ids.ts";

/**
 * Copies the eight bytes of an id. For so few bytes this is several times faster than `Buffer.copy`, and lists have a
 * million of them.
 */
export function copyId(from: Buffer, at: number, to: Buffer, into: number): void {
  for (let i = 0; i < ID_BYTES; i++) to[into + i] = from[at + i] as number;
}

// Memory that is used again and again: what stands in it is good until the event that it belongs to is over.

const READ_BYTES = 64 * 1024;
const WRITE_BYTES = 16 * 1024;

const memory = Buffer.allocUnsafeSlow(READ_BYTES + WRITE_BYTES);

/**
 * What all sockets read into: for bytes that pass nothing is allocated, and nothing collected. It is never lent to the system;
 * what that does not take at once is copied (`SocketConnection`).
 */
export const READ_ROOM = memory.subarray(0, READ_BYTES);

/** Where small writes are put together. */
export const WRITE_ROOM = memory.subarray(READ_BYTES);

/** Will these bytes be overwritten? Then whoever keeps them copies them. */
export function isScratch(bytes: Buffer): boolean {
  return bytes.buffer === memory.buffer;
}

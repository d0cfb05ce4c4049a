import { once } from "node:events";
import type { Socket } from "node:net";

/** Writes one after the other, no faster than they are taken. */
export async function writeAll(socket: Socket, all: Iterable<Buffer>): Promise<void> {
  for (const bytes of all) {
    if (!socket.writable) return;
    if (!socket.write(bytes)) await once(socket, "drain");
  }
}

import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";

/**
 * Writes to a descriptor without ever waiting for its reader: what it returns was taken, else it fails with EAGAIN. A write
 * that blocks would stop the event loop, and one that blocks in another thread would keep the process from exiting.
 */
export function descriptorWriter(descriptor: number): (bytes: Buffer) => number {
  const own = withoutBlocking(descriptor);
  return (bytes) => writeSync(own, bytes);
}

/**
 * A descriptor of the same file that fails with EAGAIN where it would block. Opened anew where that is possible, so that
 * other processes that share the descriptor (a shell's terminal) find it as it was.
 */
function withoutBlocking(descriptor: number): number {
  const kind = fstatSync(descriptor);
  if (kind.isFile()) return descriptor;
  try {
    return openSync(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    // A socket, or a pipe of another user, as in a container. Node's own stream switches the mode when it is made; it has
    // no other use, and must live as long as the process, since it closes the descriptor with itself.
    if (kind.isSocket() || kind.isFIFO()) switched.add(new Socket({ fd: descriptor, readable: false }).unref());
    return descriptor;
  }
}

const switched = new Set<Socket>();

import { channel } from "node:diagnostics_channel";
import { Socket, type OnReadOpts } from "node:net";
import type { ConnectionHandler } from "../session/connection.ts";
import { outbox } from "./outbox.ts";
import { READ_ROOM } from "./scratch.ts";

/** Is told of what was read, when that is nobody's any more. Tests overwrite it then. */
const forgotten = channel("zeo-proxy:forgotten");

/** How a socket is read, and who is told of it. */
export class Reading {
  /** Nothing is read before there is one. */
  handler: ConnectionHandler | undefined;

  /** Node's option for a socket that is made. */
  get onread(): OnReadOpts {
    return {
      buffer: READ_ROOM,
      callback: (length) => {
        this.read(length === READ_ROOM.length ? READ_ROOM : READ_ROOM.subarray(0, length));
        return true;
      },
    };
  }

  /** What one event leads to leaves in one write for each socket. */
  read(bytes: Buffer): void {
    outbox.open();
    try {
      this.handler?.read(bytes);
    } finally {
      outbox.close();
    }
    if (forgotten.hasSubscribers) forgotten.publish(bytes);
  }
}

/** What there is of Node's own object for a system's socket. */
interface Handle {
  readonly useUserBuffer?: unknown;
  readonly readStart?: unknown;
}

/**
 * An accepted socket, read in the same way. Node documents `onread` for sockets that are dialled only, so a socket is made
 * anew around the handle of the one that was accepted (Node 20 to 24, `lib/net.js`).
 * @returns undefined where Node is made differently, and nothing is changed then
 */
export function remade(accepted: Socket, { onread }: Reading): Socket | undefined {
  const owner = accepted as { _handle?: Handle | null };
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== "function" || typeof handle.readStart !== "function") return undefined;
  owner._handle = null;
  const options = { handle, onread, allowHalfOpen: true, manualStart: true };
  const socket = new Socket(options);
  // What is left of it counts as closed.
  accepted.destroy();
  return socket;
}

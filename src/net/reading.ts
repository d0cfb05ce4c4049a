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
  /** What was read before, and is the next that the handler reads. */
  #kept: Buffer | undefined;

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

  get hasKept(): boolean {
    return this.#kept !== undefined;
  }

  keep(bytes: Buffer): void {
    this.#kept = bytes;
  }

  /** As if it came now, and from the network. */
  readKept(): void {
    const kept = this.#kept;
    if (kept === undefined) return;
    const length = Math.min(kept.length, READ_ROOM.length);
    this.#kept = length === kept.length ? undefined : kept.subarray(length);
    kept.copy(READ_ROOM, 0, 0, length);
    this.read(READ_ROOM.subarray(0, length));
  }

  /** It stands in memory that is used again when this returns. */
  read(bytes: Buffer): void {
    this.readOwn(bytes);
    if (forgotten.hasSubscribers) forgotten.publish(bytes);
  }

  /**
   * It is in memory of its own: another connection may keep it in its queue as it is. What one event leads to leaves in one write
   * for each socket.
   */
  readOwn(bytes: Buffer): void {
    outbox.open();
    try {
      this.handler?.read(bytes);
    } finally {
      outbox.close();
    }
  }
}

/** What there is of Node's own object for a system's socket. */
interface Handle {
  readonly useUserBuffer?: unknown;
  readonly readStart?: unknown;
  readonly readStop?: () => void;
  /** Node's own note whether the system reads. */
  reading?: boolean;
}

/** Nothing more is read of a socket that Node has read by itself, from now on: `pause` alone lets some more come in. */
export function stopReading(socket: Socket): void {
  socket.pause();
  const handle = (socket as { _handle?: Handle | null })._handle;
  if (typeof handle?.readStop !== "function" || handle.reading !== true) return;
  handle.reading = false;
  handle.readStop();
}

/**
 * An accepted socket, read in the same way. Node documents `onread` for sockets that are dialled only, so a socket is made
 * anew around the handle of the one that was accepted (Node 20 to 24, `lib/net.js`).
 * @returns undefined where Node is made differently, and nothing is changed then
 */
export function remade(accepted: Socket, reading: Reading): Socket | undefined {
  const owner = accepted as { _handle?: Handle | null };
  const handle = owner._handle;
  if (typeof handle?.useUserBuffer !== "function" || typeof handle.readStart !== "function") return undefined;
  // What stood behind a header.
  const early: Buffer | null = accepted.readableLength > 0 ? (accepted.read() as Buffer | null) : null;
  if (early !== null) reading.keep(early);
  stopReading(accepted);
  owner._handle = null;
  const options = { handle, onread: reading.onread, allowHalfOpen: true, manualStart: true };
  const socket = new Socket(options);
  // What is left of it counts as closed.
  accepted.destroy();
  return socket;
}

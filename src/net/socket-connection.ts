import type { Socket } from "node:net";
import type { Connection, ConnectionCommand, ConnectionHandler, Seen } from "../session/connection.ts";
import { recent } from "./recent.ts";
import { socketTable } from "./socket-table.ts";

/** The address of a host that has reset its connection before it was accepted: the system knows it no more. */
const UNKNOWN_PEER = "unknown";

/** A socket as the rest of the proxy sees it. */
export class SocketConnection implements Connection {
  readonly peer: string;
  readonly #socket: Socket;
  #handler: ConnectionHandler | undefined;
  #isClosed = false;

  constructor(socket: Socket) {
    const { remoteAddress, remotePort } = socket;
    this.peer = remoteAddress === undefined ? UNKNOWN_PEER : `${remoteAddress}:${remotePort}`;
    this.#socket = socket;
    socket.on("error", () => {
      socket.destroy();
      this.#closed();
    });
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get progress(): number {
    // What the system has taken of a write that is not done yet only the handle tells; without it whole writes count.
    return this.#socket.bytesWritten - this.#socket.writableLength - (this.#handle?.writeQueueSize ?? 0);
  }

  /** Node's own object for the system's socket. */
  get #handle(): { readonly writeQueueSize?: number; readonly fd?: number } | null | undefined {
    return (this.#socket as { _handle?: { readonly writeQueueSize?: number; readonly fd?: number } | null })._handle;
  }

  get isBehind(): boolean {
    return this.#socket.writableNeedDrain;
  }

  write(bytes: Buffer, written?: () => void): boolean {
    if (this.#socket.writable) return this.#socket.write(bytes, written);
    if (written !== undefined) process.nextTick(written);
    return true;
  }

  carryOut(command: ConnectionCommand): void {
    switch (command) {
      case "pause":
        this.#socket.pause();
        return;
      case "resume":
        this.#socket.resume();
        return;
      case "end":
        this.#socket.end();
        return;
      case "destroy":
        this.#socket.destroy();
    }
  }

  ask(told: (seen: Seen | undefined) => void): void {
    socketTable.ask(this.#handle?.fd ?? -1, told);
  }

  handOver(handler: ConnectionHandler): void {
    const before = this.#handler;
    this.#handler = handler;
    if (before !== undefined) return;
    this.#socket.on("data", (chunk: Buffer) => {
      recent.keep(chunk);
      this.#handler?.read(chunk);
    });
    this.#socket.on("end", () => this.#handler?.ended());
    this.#socket.on("drain", () => this.#handler?.drained());
    this.#socket.on("close", () => this.#closed());
  }

  /** By an error at once: until the `close` that follows somebody else may be told something, and write here in vain. */
  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handler?.closed();
  }
}

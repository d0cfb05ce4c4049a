import type { Socket } from "node:net";
import type { Connection, ConnectionCommand, ConnectionHandler } from "../session/connection.ts";

/** A socket as the rest of the proxy sees it. */
export class SocketConnection implements Connection {
  readonly peer: string;
  readonly #socket: Socket;
  #handler: ConnectionHandler | undefined;

  constructor(socket: Socket) {
    this.peer = `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
    this.#socket = socket;
    // What went wrong tells nothing that its end does not.
    socket.on("error", () => socket.destroy());
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
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

  handOver(handler: ConnectionHandler): void {
    const before = this.#handler;
    this.#handler = handler;
    if (before !== undefined) return;
    this.#socket.on("data", (chunk: Buffer) => this.#handler?.read(chunk));
    this.#socket.on("end", () => this.#handler?.ended());
    this.#socket.on("drain", () => this.#handler?.drained());
    this.#socket.on("close", () => this.#handler?.closed());
  }
}

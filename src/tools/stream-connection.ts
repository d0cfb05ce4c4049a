import type { Socket } from "node:net";
import type { Connection, ConnectionCommand, ConnectionHandler, Seen } from "../session/connection.ts";

/** A connected socket of any kind (TCP, Unix, TLS) as a witness sees a connection. */
export class StreamConnection implements Connection {
  readonly peer: string;
  readonly #socket: Socket;
  #handler: ConnectionHandler | undefined;
  #isClosed = false;

  /** The socket has been read by nobody yet. */
  constructor(socket: Socket, peer: string) {
    this.peer = peer;
    this.#socket = socket;
    socket.pause();
    const closed = (): void => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      this.#handler?.closed();
    };
    socket.on("error", () => socket.destroy());
    socket.on("close", closed);
    socket.on("end", () => this.#handler?.ended());
    socket.on("drain", () => this.#handler?.drained());
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  get progress(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  get isBehind(): boolean {
    return this.#socket.writableNeedDrain;
  }

  write(bytes: Buffer, left?: () => void): boolean {
    if (!this.#socket.writable) return true;
    return this.#socket.write(bytes, () => left?.());
  }

  carryOut(command: ConnectionCommand): void {
    if (command === "pause") this.#socket.pause();
    else if (command === "resume") this.#socket.resume();
    else if (command === "end") this.#socket.end();
    else this.#socket.destroy();
  }

  ask(told: (seen: Seen | undefined) => void): void {
    told(undefined);
  }

  handOver(handler: ConnectionHandler): void {
    const isFirst = this.#handler === undefined;
    this.#handler = handler;
    if (!isFirst) return;
    this.#socket.on("data", (bytes: Buffer) => this.#handler?.read(bytes));
    this.#socket.resume();
  }
}

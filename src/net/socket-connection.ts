import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Connection, ConnectionCommand, ConnectionHandler, Seen } from "../session/connection.ts";
import type { Origin } from "../upstream/transport.ts";
import { offer } from "./offer.ts";
import { originOf } from "./origin.ts";
import { outbox, type Recipient } from "./outbox.ts";
import { Reading } from "./reading.ts";
import { isScratch } from "./scratch.ts";
import { socketTable } from "./socket-table.ts";

/** What there is of Node's own object for the system's socket. */
interface Handle {
  readonly writeQueueSize?: number;
  readonly fd?: number;
}

/** Whose it is. */
const CONNECTION = Symbol("connection");
type Owned = Socket & { [CONNECTION]: SocketConnection };

/** A socket as the rest of the proxy sees it. */
export class SocketConnection implements Connection, Recipient {
  readonly peer: string;
  readonly host: string | undefined;
  readonly #socket: Socket;
  readonly #reading: Reading;
  /** Is it read into the memory that all share? */
  readonly #isShared: boolean;
  /** Of the socket while it is open. */
  readonly #handle: Handle | undefined;
  readonly #descriptor: number;
  /** The same where bytes may go to it as they are, past Node; -1 under TLS. */
  readonly #direct: number;
  /** Is it in the system's table? Unix sockets are not. */
  readonly #isListed: boolean;
  /** So many bytes have gone to the system without Node. */
  #offered = 0;
  /** So many writes wait in Node's queue. */
  #waiting = 0;
  #hasEnded = false;
  #isClosed = false;

  /**
   * The socket reads nothing yet. Without `reading` it is read as Node does it by itself, as one with TLS must be. `origin`: who is
   * at its other end, where the socket itself does not know.
   */
  constructor(socket: Socket, reading?: Reading, { host, peer }: Origin = originOf(socket)) {
    this.peer = peer;
    this.host = host;
    this.#socket = socket;
    this.#reading = reading ?? new Reading();
    this.#isShared = reading !== undefined;
    this.#handle = handleOf(socket) ?? undefined;
    this.#descriptor = this.#handle?.fd ?? -1;
    this.#direct = socket instanceof TLSSocket ? -1 : this.#descriptor;
    this.#isListed = socket.remoteAddress !== undefined;
    (socket as Owned)[CONNECTION] = this;
    socket.on("error", hasFailed);
    if (!this.#isShared) this.#readByNode();
  }

  get queuedBytes(): number {
    outbox.flushFor(this);
    return this.#waiting === 0 ? 0 : this.#socket.writableLength;
  }

  get progress(): number {
    outbox.flushFor(this);
    // What the system has taken of a write that is not done yet only the handle tells; without it whole writes count.
    const waiting = this.#socket.writableLength + (handleOf(this.#socket)?.writeQueueSize ?? 0);
    return this.#offered + this.#socket.bytesWritten - waiting;
  }

  get isBehind(): boolean {
    outbox.flushFor(this);
    return this.#waiting > 0 && this.#socket.writableNeedDrain;
  }

  write(bytes: Buffer, left?: () => void): boolean {
    if (this.#waiting > 0) {
      // Something may have been gathered since it began to wait.
      outbox.flushFor(this);
      return this.#queue(bytes, left);
    }
    if (this.#hasEnded) return true;
    return outbox.add(this, bytes) || this.send(bytes, left);
  }

  /** Behind what waits: what was gathered before in the same event may have begun to. */
  send(bytes: Buffer, left?: () => void): boolean {
    if (this.#waiting > 0) return this.#queue(bytes, left);
    const taken = this.#isOpen ? offer(this.#direct, bytes) : 0;
    this.#offered += taken;
    if (taken === bytes.length) return true;
    return this.#queue(taken === 0 ? bytes : bytes.subarray(taken), left);
  }

  /** Else the descriptor may be another one's already. Node lets go of its object in the same moment as it closes it. */
  get #isOpen(): boolean {
    return this.#handle !== undefined && handleOf(this.#socket) === this.#handle;
  }

  #queue(bytes: Buffer, left?: () => void): boolean {
    if (!this.#socket.writable) return true;
    this.#waiting++;
    return this.#socket.write(isScratch(bytes) ? Buffer.from(bytes) : bytes, () => {
      this.#waiting--;
      left?.();
    });
  }

  carryOut(command: ConnectionCommand): void {
    switch (command) {
      case "pause":
        this.#socket.pause();
        return;
      case "resume":
        this.#socket.resume();
        this.#readKept();
        return;
      case "end":
        outbox.flushFor(this);
        this.#hasEnded = true;
        this.#socket.end();
        return;
      case "destroy":
        outbox.flushFor(this);
        this.#hasEnded = true;
        this.#socket.destroy();
    }
  }

  ask(told: (seen: Seen | undefined) => void): void {
    socketTable.ask(this.#isOpen && this.#isListed ? this.#descriptor : -1, told);
  }

  handOver(handler: ConnectionHandler): void {
    const before = this.#reading.handler;
    this.#reading.handler = handler;
    if (before !== undefined) return;
    this.#socket.on("end", hasEnded);
    this.#socket.on("drain", hasDrained);
    this.#socket.on("close", hasClosed);
    // First and at once: else Node would do it a turn later, even if the socket is left unread by then.
    if (this.#isShared) this.#socket.read(0);
    this.#socket.resume();
    this.#readKept();
  }

  /** Before anything else is read: that comes with the next turn of the loop. */
  #readKept(): void {
    if (!this.#reading.hasKept) return;
    process.nextTick(() => {
      if (this.#socket.destroyed || this.#socket.isPaused()) return;
      this.#reading.readKept();
      this.#readKept();
    });
  }

  #readByNode(): void {
    this.#socket.pause();
    this.#socket.on("data", (chunk: Buffer) => this.#reading.readOwn(chunk));
  }

  /** Who is told; undefined: nobody yet. */
  get handler(): ConnectionHandler | undefined {
    return this.#reading.handler;
  }

  /** By an error at once: until the `close` that follows somebody else may be told something, and write here in vain. */
  closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#reading.handler?.closed();
  }
}

// What a socket tells. Functions that all sockets share: closures would be four for each of them, for as long as it is open.

function hasFailed(this: Owned): void {
  this.destroy();
  this[CONNECTION].closed();
}

function hasEnded(this: Owned): void {
  this[CONNECTION].handler?.ended();
}

function hasDrained(this: Owned): void {
  this[CONNECTION].handler?.drained();
}

function hasClosed(this: Owned): void {
  this[CONNECTION].closed();
}

function handleOf(socket: Socket): Handle | null | undefined {
  return (socket as { _handle?: Handle | null })._handle;
}

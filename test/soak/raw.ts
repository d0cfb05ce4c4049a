import { connect, type Socket } from "node:net";
import { LOOPBACK, reset } from "../peers/sockets.ts";

/** A connection that need not be a client's. Whatever is said to it is counted and thrown away. */
export class RawConnection {
  readonly #socket: Socket;
  /** How connecting ended: `open`, or the system's code. */
  readonly opened: Promise<string>;
  /** Both directions are closed, by whomever. */
  readonly closed: Promise<void>;
  /** The first bytes have come; also when it is closed without any. */
  readonly greeted: Promise<void>;

  constructor(port: number, localAddress: string) {
    const socket = connect({ host: LOOPBACK, port, localAddress, noDelay: true, allowHalfOpen: true });
    this.#socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    this.opened = new Promise((resolve) => {
      socket.once("connect", () => resolve("open"));
      socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "unknown"));
      socket.once("close", () => resolve("closed"));
    });
    this.greeted = new Promise((resolve) => {
      socket.once("data", () => resolve());
      socket.once("close", () => resolve());
    });
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    // Whoever is given up on says no more.
    socket.on("end", () => socket.end());
  }

  send(bytes: Buffer): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** The end of what it has to say; it still listens. */
  endHalf(): void {
    this.#socket.end();
  }

  /** At once, in order or with a reset. */
  leave(how: "close" | "reset"): void {
    if (how === "close") this.#socket.destroy();
    else reset(this.#socket);
  }
}

/** A payload with its length before it. */
export function frame(payload: Buffer | string): Buffer {
  const bytes = typeof payload === "string" ? Buffer.from(payload, "latin1") : payload;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** The name that a client of this server answers its greeting with. */
export function greeting(family: "old" | "new"): Buffer {
  return frame(family === "old" ? "Z4" : "Z5");
}

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Frames, WholeFrames, type FrameHandler } from "./frames.ts";
import * as z5 from "./z5.ts";

const CONNECT_AT_ONCE = 20;

/** All sockets are read into the same memory: what comes is done with when the call returns. */
const RECEIVED = Buffer.allocUnsafe(0x4_0000);

const secure = new Map<number, string>();

/** At that port TLS is spoken, by a certificate of that authority (PEM). */
export function speakTls(port: number, ca: string): void {
  secure.set(port, ca);
}

export type Receiver = (bytes: Buffer, length: number) => void;

/** A client of the stand-in server, as one of ZEO 5 would be, or of ZEO 4 where that is the server. Counts the frames of both directions. */
export class Client {
  readonly socket: Socket;
  /** The server is of the old family. */
  isOld = false;
  messages = 0;
  readonly #frames = new Frames(() => undefined);
  readonly #ready: "connect" | "secureConnect";
  #receive: Receiver = () => undefined;
  #reject: ((error: Error) => void) | undefined;

  private constructor(port: number) {
    const identity = secure.get(port);
    this.#ready = identity === undefined ? "connect" : "secureConnect";
    const options = {
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: {
        buffer: RECEIVED,
        callback: (length: number) => {
          this.#receive(RECEIVED, length);
          return true;
        },
      },
    };
    this.socket = identity === undefined ? connect(options) : connectTls({ ...options, ca: identity });
  }

  /** Connected and registered. */
  static async connect(port: number, storage = "1"): Promise<Client> {
    const client = new Client(port);
    const greeting = client.next();
    await once(client.socket, client.#ready);
    const name = (await greeting).toString("latin1");
    client.isOld = name === z5.OLD;
    client.socket.on("close", () => client.#closed());
    client.send(z5.framed(Buffer.from(name)));
    await client.ask("register", z5.tuple(z5.text(storage), Buffer.from([0x89])));
    client.messages = 0;
    return client;
  }

  static async connectMany(count: number, port: number): Promise<Client[]> {
    const clients: Client[] = [];
    while (clients.length < count) {
      const some = Math.min(CONNECT_AT_ONCE, count - clients.length);
      clients.push(...(await Promise.all(Array.from({ length: some }, () => Client.connect(port)))));
    }
    return clients;
  }

  /** From now on every frame's beginning is handed over. Between two frames only. */
  onFrame(handler: FrameHandler): void {
    this.#frames.handler = (bytes, start, end, length) => {
      this.messages++;
      handler(bytes, start, end, length);
    };
    this.#receive = (bytes, length) => this.#frames.push(bytes, length);
  }

  /** From now on whole frames are handed over; they are good for ever. */
  onWholeFrame(handler: (frame: Buffer) => void): void {
    const frames = new WholeFrames((frame) => {
      this.messages++;
      handler(frame);
    });
    this.#receive = (bytes, length) => frames.push(bytes, length);
  }

  /** From now on bytes are handed over as they come; whoever takes them counts the messages. */
  onBytes(receive: Receiver): void {
    this.#receive = receive;
  }

  send(frame: Buffer): void {
    this.messages++;
    this.socket.write(frame);
  }

  /** Calls, and waits for the next frame of any kind. */
  ask(method: string, args: Buffer): Promise<Buffer> {
    const reply = this.next();
    this.send(z5.call(z5.int(7), method, args));
    return reply;
  }

  /** The next frame of any kind, at most its first 256 bytes. */
  next(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.onFrame((bytes, start, end) => {
        this.#reject = undefined;
        resolve(Buffer.from(bytes.subarray(start, end)));
      });
    });
  }

  close(): void {
    this.socket.removeAllListeners("close");
    this.socket.destroy();
  }

  /** Nobody but the bench itself ends a connection. */
  #closed(): void {
    const error = new Error("the connection was closed from the other side");
    if (this.#reject === undefined) throw error;
    this.#reject(error);
  }
}

export function closeAll(clients: readonly Client[]): void {
  for (const client of clients) client.close();
}

export function sumOfMessages(clients: readonly Client[]): number {
  return clients.reduce((sum, { messages }) => sum + messages, 0);
}

export function forgetMessages(clients: readonly Client[]): void {
  for (const client of clients) client.messages = 0;
}

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Frames } from "./frames.ts";
import * as z5 from "./z5.ts";

const CONNECT_AT_ONCE = 20;

/** A client of the stand-in server, as a ZEO 5 client would be. Counts the frames of both directions. */
export class Client {
  readonly socket: Socket;
  messages = 0;
  /** Is called with every frame's beginning and length; good until it returns. */
  onFrame: (head: Buffer, length: number) => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    const frames = new Frames((head, length) => {
      this.messages++;
      this.onFrame(head, length);
    });
    socket.on("data", (chunk) => frames.push(chunk));
  }

  /** Connected and registered. */
  static async connect(port: number, storage: string): Promise<Client> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const client = new Client(socket);
    const greeting = client.next();
    await once(socket, "connect");
    await greeting;
    socket.on("close", () => client.#closed());
    client.send(z5.framed(Buffer.from("Z5")));
    await client.ask("register", z5.tuple(z5.text(storage), Buffer.from([0x89])));
    client.messages = 0;
    return client;
  }

  static async connectMany(count: number, port: number, storage: string): Promise<Client[]> {
    const clients: Client[] = [];
    while (clients.length < count) {
      const some = Math.min(CONNECT_AT_ONCE, count - clients.length);
      clients.push(...(await Promise.all(Array.from({ length: some }, () => Client.connect(port, storage)))));
    }
    return clients;
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

  next(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.onFrame = (head) => {
        this.onFrame = () => undefined;
        this.#reject = undefined;
        resolve(Buffer.from(head));
      };
    });
  }

  close(): void {
    this.socket.removeAllListeners("close");
    this.socket.destroy();
  }

  #reject: ((error: Error) => void) | undefined;

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

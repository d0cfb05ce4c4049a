import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** Relays one connection. What its client reads comes in the portions that a test allows: it counts bytes, not time. */
export class Throttle {
  readonly port: number;
  /** What may still pass. */
  #allowed = Infinity;
  #server: Socket | undefined;
  #passed: (() => void) | undefined;

  private constructor(port: number) {
    this.port = port;
  }

  static async start(target: number): Promise<Throttle> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const throttle = new Throttle((listener.address() as AddressInfo).port);
    listener.once("connection", (client) => {
      listener.close();
      throttle.#join(client, connect({ port: target, host: "127.0.0.1", allowHalfOpen: true, noDelay: true }));
    });
    return throttle;
  }

  #join(client: Socket, server: Socket): void {
    this.#server = server;
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("end", () => other.end());
      one.on("close", () => other.destroy());
      onTestFinished(() => void one.destroy());
    }
    client.pipe(server, { end: false });
    server.on("data", (chunk: Buffer) => {
      client.write(chunk);
      this.#allowed -= chunk.length;
      if (this.#allowed > 0) return;
      server.pause();
      this.#passed?.();
    });
  }

  /** Nothing more passes. */
  shut(): void {
    this.#allowed = 0;
    this.#server?.pause();
  }

  /** Lets so many bytes pass, perhaps a chunk more; resolves when they have. */
  pass(bytes: number): Promise<void> {
    this.#allowed = bytes;
    this.#server?.resume();
    return new Promise((resolve) => {
      this.#passed = resolve;
    });
  }

  /** Lets everything pass. */
  open(): void {
    this.#allowed = Infinity;
    this.#server?.resume();
  }
}

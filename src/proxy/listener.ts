import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { formatAddress, type Address } from "../config/address.ts";

/** A listening address that can be given up and taken again; a port 0 keeps the port that was chosen first. */
export class Listener {
  readonly #wanted: Address;
  readonly #accept: (client: Socket) => void;
  #bound: Address | undefined;
  #server: Server | undefined;

  constructor(wanted: Address, accept: (client: Socket) => void) {
    this.#wanted = wanted;
    this.#accept = accept;
  }

  /** `host:port` once bound, also while it is given up. */
  get address(): string | undefined {
    return this.#bound === undefined ? undefined : formatAddress(this.#bound);
  }

  get isOpen(): boolean {
    return this.#server !== undefined;
  }

  /** Rejects with the system's error. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (client) =>
      this.#accept(client),
    );
    this.#server = server;
    const { host, port } = this.#bound ?? this.#wanted;
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port }, () => {
          server.removeListener("error", reject);
          resolve();
        });
      });
    } catch (error) {
      this.#server = undefined;
      throw error;
    }
    // A later error of the listening socket (out of file descriptors) is no reason to stop.
    server.on("error", () => undefined);
    const bound = server.address() as AddressInfo | null;
    if (bound !== null) this.#bound ??= { host, port: bound.port };
    if (this.#server !== server) server.close();
  }

  /** Accepts nobody any more; what was accepted stays. */
  close(): void {
    this.#server?.close();
    this.#server = undefined;
  }
}

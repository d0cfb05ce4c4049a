import { within } from "../proxy/peer.ts";
import type { Connection, ConnectionHandler } from "../../src/session/connection.ts";

/** Takes a connection, and notes what that tells. */
export class Noted implements ConnectionHandler {
  readonly connection: Connection;
  /** Everything but `read`, in order. */
  readonly told: string[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  readonly #watchers = new Set<() => void>();

  constructor(connection: Connection) {
    this.connection = connection;
    connection.handOver(this);
  }

  /** All that was read. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    this.#look();
  }

  ended(): void {
    this.#note("ended");
  }

  drained(): void {
    this.#note("drained");
  }

  closed(): void {
    this.#note("closed");
  }

  /** So many bytes were read. */
  async reads(count: number): Promise<void> {
    await this.#until(() => this.#bytes.length >= count, `${count} bytes`);
  }

  /** It has been told this. */
  async hears(what: string): Promise<void> {
    await this.#until(() => this.told.includes(what), what);
  }

  #note(what: string): void {
    this.told.push(what);
    this.#look();
  }

  #look(): void {
    for (const look of this.#watchers) look();
  }

  async #until(ready: () => boolean, what: string): Promise<void> {
    await within(
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (!ready()) return;
          this.#watchers.delete(look);
          resolve();
        };
        this.#watchers.add(look);
        look();
      }),
      what,
    );
  }
}

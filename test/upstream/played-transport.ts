import { expect } from "vitest";
import type { Address } from "../../src/config/address.ts";
import type { Dialled, Door, Listened, Origin, Transport } from "../../src/upstream/transport.ts";
import { PlayedConnection } from "../session/played-connection.ts";

/** A dial; the test says what comes of it. */
export class PlayedDial {
  readonly server: Address;
  readonly #number: number;
  readonly #dialled: Dialled;
  /** Where the connection that comes of it is kept, too. */
  readonly #connections: PlayedConnection[];
  /** `open` until one of the others. */
  state: "open" | "connected" | "failed" | "cancelled" = "open";

  constructor(server: Address, number: number, dialled: Dialled, connections: PlayedConnection[]) {
    this.server = server;
    this.#number = number;
    this.#dialled = dialled;
    this.#connections = connections;
  }

  /** `isStuck`: to a server whose network takes nothing. `host`: the address that its name has led to. */
  connects(isStuck = false, host = "server"): PlayedConnection {
    expect(this.state).toBe("open");
    this.state = "connected";
    const connection = new PlayedConnection(`${host}:${this.#number}`);
    this.#connections.push(connection);
    if (isStuck) connection.sticks();
    this.#dialled.connected(connection);
    return connection;
  }

  fails(code = "ECONNREFUSED"): void {
    expect(this.state).toBe("open");
    this.state = "failed";
    this.#dialled.failed(code);
  }

  cancel(): void {
    if (this.state === "open") this.state = "cancelled";
  }
}

/** An address that is listened on, or is to be. */
export class PlayedListening {
  readonly address: Address;
  readonly #listened: Listened;
  readonly #connections: PlayedConnection[];
  isGivenUp = false;
  #clients = 0;

  constructor(address: Address, listened: Listened, connections: PlayedConnection[]) {
    this.address = address;
    this.#listened = listened;
    this.#connections = connections;
  }

  opens(port = this.address.port): void {
    expect(this.isGivenUp).toBe(false);
    const { path, host = "", port: asked = 0 } = this.address;
    this.#listened.listening(path === undefined ? { host, port: port ?? asked } : { path });
  }

  fails(code = "EADDRINUSE", cause?: unknown): void {
    expect(this.isGivenUp).toBe(false);
    this.#listened.failed(code, cause);
  }

  hinders(code: string): void {
    expect(this.isGivenUp).toBe(false);
    this.#listened.hindered(code);
  }

  /** A client that the door lets in. `host`: its address, where the transport knows it. */
  accepts(host?: string): PlayedConnection {
    const origin = this.#origin(host);
    expect(this.#door.admits(origin), "it is let in").toBe(true);
    const client = new PlayedConnection(origin.peer, host);
    this.#connections.push(client);
    this.#listened.accepted(client);
    return client;
  }

  /** One that the door does not let in. */
  refuses(host?: string): void {
    expect(this.#door.admits(this.#origin(host)), "it is let in").toBe(false);
  }

  /** One that is let in, and leaves before it is accepted. */
  loses(host?: string): void {
    expect(this.#door.admits(this.#origin(host)), "it is let in").toBe(true);
    this.#door.leaves(host);
  }

  get #door(): Door {
    const { door } = this.#listened;
    if (door === undefined) throw new Error("it has no door");
    return door;
  }

  #origin(host: string | undefined): Origin {
    expect(this.isGivenUp).toBe(false);
    return { host, peer: `${host ?? "client"}:${++this.#clients}` };
  }
}

/** Dials and addresses, as a test plays them. Nothing is told by itself. */
export class PlayedTransport implements Transport {
  readonly dials: PlayedDial[] = [];
  readonly listenings: PlayedListening[] = [];
  /** All that were dialled or accepted. */
  readonly connections: PlayedConnection[] = [];
  /** So many descriptors are left. */
  descriptors = Infinity;

  dial(server: Address, dialled: Dialled): () => void {
    const dial = new PlayedDial(server, this.dials.length + 1, dialled, this.connections);
    this.dials.push(dial);
    return () => dial.cancel();
  }

  listen(address: Address, listened: Listened): () => void {
    const listening = new PlayedListening(address, listened, this.connections);
    this.listenings.push(listening);
    return () => {
      listening.isGivenUp = true;
    };
  }

  shortage(descriptors: number): string | undefined {
    return descriptors > this.descriptors ? "EMFILE" : undefined;
  }

  /** The newest of each. */
  get dialling(): PlayedDial {
    return newest(this.dials, "nothing was dialled");
  }

  get listening(): PlayedListening {
    return newest(this.listenings, "nothing is listened on");
  }
}

function newest<T>(all: readonly T[], none: string): T {
  const last = all.at(-1);
  if (last === undefined) throw new Error(none);
  return last;
}

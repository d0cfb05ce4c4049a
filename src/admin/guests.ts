import type { Socket } from "node:net";

/** So many connections to the admin server at most. */
export const MAX_GUESTS = 64;

/** A connection to the admin server; with TLS the socket beneath. */
interface Guest {
  readonly socket: Socket;
  /** A request was read, and its answer has not gone out whole. */
  isServed: boolean;
}

/**
 * The connections to the admin server. There are few: at the bound one that is not being served makes room for the newest,
 * first the one that has said nothing for longest. So whoever opens many and waits takes no room from who asks.
 */
export class Guests {
  /** By their sockets. Who was served last stands last. */
  readonly #all = new Map<Socket, Guest>();
  readonly #most: number;

  constructor(most = MAX_GUESTS) {
    this.#most = most;
  }

  get size(): number {
    return this.#all.size;
  }

  /** A connection was accepted. Where there is no room it is closed. */
  came(socket: Socket): void {
    if (this.#all.size >= this.#most && !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    this.#all.set(socket, { socket, isServed: false });
    socket.once("close", () => this.#all.delete(socket));
  }

  /**
   * A request was read.
   * @returns false where the answer to another one is still on its way: who waits for his answers never does that, and
   * they would pile up for who does; or where it has been closed meanwhile
   */
  asks(socket: Socket): boolean {
    const guest = this.#find(socket);
    if (guest === undefined || guest.isServed) return false;
    guest.isServed = true;
    return true;
  }

  /** Its answer has gone out, or never will. */
  served(socket: Socket): void {
    const guest = this.#find(socket);
    if (guest === undefined) return;
    guest.isServed = false;
    this.#all.delete(guest.socket);
    this.#all.set(guest.socket, guest);
  }

  /** Closes those that are not being served; `isAll`: and the others. */
  close(isAll: boolean): void {
    for (const { socket, isServed } of this.#all.values()) if (isAll || !isServed) socket.destroy();
  }

  #makeRoom(): boolean {
    for (const { socket, isServed } of this.#all.values()) {
      if (isServed) continue;
      this.#all.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  /** Of a TLS socket it is the one beneath: Node's own name for it (Node 20 to 24, `lib/_tls_wrap.js`); it documents none. */
  #find(socket: Socket): Guest | undefined {
    const { _parent: beneath } = socket as { readonly _parent?: Socket | null };
    return this.#all.get(socket) ?? (beneath ? this.#all.get(beneath) : undefined);
  }
}

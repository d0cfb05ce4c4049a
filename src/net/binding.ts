import { isIP, type AddressInfo, type Server } from "node:net";
import type { Address, TcpAddress } from "../config/address.ts";
import { lookUp } from "./look-up.ts";
import { admit, listenAt, listenFault, removeStale, type SocketFile } from "./socket-file.ts";
import { codeOf } from "./system-error.ts";

/** What comes of it: one of the first two, once, not while `bind` runs, and neither after it was given up. */
export interface Bound {
  /** All listen: `address` has the port that was chosen, where port 0 was asked for. */
  bound(address: Address): void;
  failed(code: string, cause: unknown): void;
  /** A server that listens has had an error. */
  hindered(code: string): void;
}

/** A machine does not have this address, or not this family: another one of the same name will do. */
const ABSENT: ReadonlySet<string> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);
/** Port 0 of a name: the port that its first address gave may be taken at the next one. */
const PORT_TRIES = 10;

/**
 * The servers that listen at one address: one for each address of a name, all at the same port, as ZEO's own servers do
 * (asyncio's `create_server`); or one at a Unix socket.
 */
export class Binding {
  readonly #make: () => Server;
  readonly #file: SocketFile;
  readonly #told: Bound;
  #servers: Server[] = [];
  #isGivenUp = false;
  #cancelLookUp: () => void = () => undefined;

  /** `make`: a server that does not listen yet. */
  constructor(make: () => Server, file: SocketFile, told: Bound) {
    this.#make = make;
    this.#file = file;
    this.#told = told;
  }

  bind(address: Address): void {
    if (address.path !== undefined) this.#bindPath(address.path, true);
    else if (isIP(address.host) !== 0) this.#bindHosts(address, [address.host], PORT_TRIES);
    else {
      const found = (hosts: readonly string[]): void => this.#bindHosts(address, hosts, PORT_TRIES);
      this.#cancelLookUp = lookUp(address, found, (code, cause) => this.#told.failed(code, cause));
    }
  }

  giveUp(): void {
    this.#isGivenUp = true;
    this.#cancelLookUp();
    this.#close();
  }

  #bindPath(path: string, mayBeStale: boolean): void {
    const server = this.#make();
    server.once("listening", () => {
      if (this.#isGivenUp) return;
      try {
        admit(path, this.#file);
      } catch (error) {
        this.#fail(error);
        return;
      }
      this.#bound({ path });
    });
    server.once("error", (error) => {
      if (this.#isGivenUp) return;
      if (!mayBeStale || codeOf(error) !== "EADDRINUSE") this.#fail(error, listenFault(path, error));
      else removeStale(path, (code, cause) => this.#removed(path, code, cause));
    });
    this.#servers = [server];
    listenAt(server, path);
  }

  #removed(path: string, code?: string, cause?: unknown): void {
    if (this.#isGivenUp) return;
    if (code === undefined) this.#bindPath(path, false);
    else this.#told.failed(code, cause);
  }

  /** One behind the other, as the first says which port it is. */
  #bindHosts(asked: TcpAddress, hosts: readonly string[], tries: number): void {
    let absent: unknown;
    let { port } = asked;
    const next = (index: number): void => {
      const host = hosts[index];
      if (host === undefined) {
        if (this.#servers.length > 0) this.#bound({ host: asked.host, port });
        else this.#fail(absent);
        return;
      }
      const server = this.#make();
      server.once("listening", () => {
        if (this.#isGivenUp) {
          server.close();
          return;
        }
        this.#servers.push(server);
        ({ port } = server.address() as AddressInfo);
        next(index + 1);
      });
      server.once("error", (error) => {
        if (this.#isGivenUp) return;
        const code = codeOf(error);
        if (ABSENT.has(code)) {
          absent ??= error;
          next(index + 1);
        } else if (code === "EADDRINUSE" && asked.port !== port && tries > 1) {
          this.#close();
          this.#bindHosts(asked, hosts, tries - 1);
        } else this.#fail(error);
      });
      server.listen({ host, port });
    };
    next(0);
  }

  #bound(address: Address): void {
    for (const server of this.#servers) {
      server.removeAllListeners("error");
      // No memory, say. (Of want of descriptors nothing is said here: Node closes who comes. See `shortage`.)
      server.on("error", (error) => {
        if (!this.#isGivenUp) this.#told.hindered(codeOf(error));
      });
    }
    this.#told.bound(address);
  }

  #fail(error: unknown, code = codeOf(error)): void {
    this.#close();
    this.#told.failed(code, error);
  }

  /** A socket's file goes with it. */
  #close(): void {
    for (const server of this.#servers) if (server.listening) server.close();
    this.#servers = [];
  }
}

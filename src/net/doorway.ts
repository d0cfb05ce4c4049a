import type { Socket } from "node:net";
import type { Door, HeaderFault, Origin } from "../upstream/transport.ts";
import { shortage } from "./descriptors.ts";
import { readHeader } from "./header-reader.ts";
import { originAt, originOf } from "./origin.ts";

/**
 * So many may be waited for until their header has come, at most. A balancer says it with the first packet: who is waited for is
 * nearly always somebody else. So of more the one that was waited for longest must go, and those who come are served.
 */
export const MOST_WAITING = 1_000;
/** The same where so few descriptors are left. */
const SPARE = 4;

/** The way in for the sockets of one listening address: who they are, and whether the door lets them in. */
export class Doorway {
  readonly #door: Door;
  readonly #entered: (socket: Socket, origin: Origin) => void;
  readonly #named: (socket: Socket) => Origin;
  /** Whose header is waited for, first come first, each with what refuses it. */
  readonly #waiting = new Map<Socket, { refuse: () => void; cancel: () => void }>();

  /**
   * `entered`: is told of each that was let in, and has a place. Of its socket nothing was read but a header; what stands behind
   * that is the next that is read of it. It must be accepted, or `door.leaves` told of its host. `named`: who somebody is who says
   * nothing of it.
   */
  constructor(door: Door, entered: (socket: Socket, origin: Origin) => void, named = originOf) {
    this.#door = door;
    this.#named = named;
    this.#entered = entered;
  }

  /** A socket was accepted, paused, and nothing was read of it. */
  come(socket: Socket): void {
    const origin = this.#named(socket);
    const ms = this.#door.headerMs(origin.host);
    if (ms === undefined) this.#enter(socket, origin);
    else this.#await(socket, origin, ms);
  }

  /** Whose header has not come yet is closed. */
  close(): void {
    for (const [socket, { cancel }] of this.#waiting) {
      cancel();
      socket.destroy();
    }
    this.#waiting.clear();
  }

  #await(socket: Socket, origin: Origin, ms: number): void {
    this.#makeRoom();
    const refuse = (fault: HeaderFault): void => {
      this.#waiting.delete(socket);
      socket.destroy();
      this.#door.lacksHeader(origin, fault);
    };
    const cancel = readHeader(socket, ms, {
      whole: (source) => {
        this.#waiting.delete(socket);
        this.#enter(socket, source === undefined ? origin : originAt(source.address, source.port));
      },
      lacking: refuse,
      gone: () => {
        this.#waiting.delete(socket);
        socket.destroy();
      },
    });
    this.#waiting.set(socket, { cancel, refuse: () => refuse("no-proxy-header") });
  }

  #makeRoom(): void {
    const [oldest] = this.#waiting.values();
    if (oldest === undefined) return;
    if (this.#waiting.size < MOST_WAITING && shortage(SPARE) === undefined) return;
    oldest.cancel();
    oldest.refuse();
  }

  #enter(socket: Socket, origin: Origin): void {
    if (this.#door.admits(origin)) this.#entered(socket, origin);
    else socket.destroy();
  }
}

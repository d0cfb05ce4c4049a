import type { Address } from "../../../src/config/address.ts";
import { Cache } from "../cache.ts";
import type { End } from "../end.ts";
import type { Link } from "../link.ts";
import type { Fault } from "../mix.ts";
import type { Random } from "../random.ts";
import type { Scene } from "../scene.ts";
import type { Server } from "../server/server.ts";
import { ClientConn } from "./conn.ts";

/** Where it connects to, and through what. */
export interface Way {
  readonly link: Link;
  readonly address: Address;
}

/** What a client needs of the world. */
export interface ClientHost {
  /** For its next connection. */
  way(client: Client): Way;
  /** One decision fewer is left. False: none is. */
  decide(): boolean;
  /** Something else happens now, at times. */
  disturb(client: Client): void;
  /** The network breaks this connection somewhere. */
  cut(link: Link): void;
  /** A client of this server has been granted its vote. */
  granted(server: Server, computedAt: number): void;
}

/** How long it waits for a connection, and then for a greeting. */
const DIAL_TIMEOUT_US = 10_000_000;

/** A client of one storage, with a cache, that connects again and again. */
export class Client {
  readonly number: number;
  readonly scene: Scene;
  readonly random: Random;
  readonly server: Server;
  readonly cache = new Cache();
  readonly host: ClientHost;
  /** On the server's own port: nobody repairs anything for it. */
  readonly isDirect: boolean;
  /** Which of a server's protocols it takes. */
  readonly taste: number;
  /** It was set up with authentication: its frames have MACs on an old server. */
  readonly hasMacs: boolean;
  /** Of a subject's addresses for its server. */
  readonly door: number;
  /** Counts on where it goes to another one. */
  machine: number;
  conn: ClientConn | undefined;
  #cancel: (() => void) | undefined;
  #isLeaving = false;
  /** It has asked for a connection, and has none yet. */
  isDialling = false;

  constructor(
    scene: Scene,
    random: Random,
    host: ClientHost,
    about: { number: number; server: Server; door: number; isDirect: boolean },
  ) {
    this.scene = scene;
    this.random = random;
    this.host = host;
    this.number = about.number;
    this.server = about.server;
    this.isDirect = about.isDirect;
    this.taste = random.below(100);
    this.door = about.door;
    this.machine = about.number;
    this.hasMacs = !about.isDirect && random.chance(scene.mix.macs);
  }

  chance(fault: Fault): boolean {
    if (this.scene.isCalm || !this.random.chance(this.scene.mix.faults[fault])) return false;
    this.scene.visits.count(`fault: ${fault}`);
    return true;
  }

  after(us: number, work: () => void): void {
    this.scene.timeline.plan(this.random.below(us + 1), work);
  }

  connect(): void {
    if (this.conn !== undefined || this.isDialling || this.#isLeaving) return;
    this.isDialling = true;
    const { link, address } = this.host.way(this);
    let isOver = false;
    const again = (): void => {
      isOver = true;
      this.isDialling = false;
      this.#cancel = undefined;
      this.after(500_000, () => this.connect());
    };
    const cancel = this.scene.network.dial("client", address, {
      connected: (end) => {
        isOver = true;
        this.isDialling = false;
        this.#cancel = undefined;
        const own = end as End;
        own.link = link;
        link.clientEnd = own;
        link.connected();
        if (this.isDirect) {
          own.other.link = link;
          link.isWild = own.other.isOdd;
        }
        const conn = new ClientConn(this, own, link);
        this.conn = conn;
        own.handOver(conn);
        this.scene.timeline.plan(DIAL_TIMEOUT_US, () => conn.giveUp());
      },
      failed: again,
    });
    this.#cancel = cancel;
    this.scene.timeline.plan(DIAL_TIMEOUT_US, () => {
      if (isOver) return;
      cancel();
      again();
    });
    if (this.chance("leaveDialling")) {
      this.after(2 * this.scene.mix.latencyUs + 100, () => {
        if (!isOver) {
          cancel();
          again();
        } else if (this.conn?.link === link) this.conn.leave("destroy");
      });
    }
  }

  /** The subject takes none of its kind. */
  get isRefused(): boolean {
    return this.hasMacs && this.scene.mix.refuseUnknown && this.server.kind.family === "old";
  }

  granted(computedAt: number): void {
    if (!this.isDirect) this.host.granted(this.server, computedAt);
  }

  /** Its connection is over. */
  lost(conn: ClientConn): void {
    if (this.conn !== conn) return;
    this.conn = undefined;
    if (conn.link.isWild) this.cache.clear();
    const us = this.isRefused ? 100_000_000 : this.random.chance(0.3) ? 2_000_000 : 20_000;
    this.after(us, () => this.connect());
  }

  /** For good. */
  leave(): void {
    this.#isLeaving = true;
    this.#cancel?.();
    this.isDialling = false;
    this.conn?.leave(this.random.pick(["end", "destroy"]));
  }
}

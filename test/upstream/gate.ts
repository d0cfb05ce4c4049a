import { expect } from "vitest";
import { formatAddress } from "../../src/config/address.ts";
import type { Happening } from "../../src/happening/happening.ts";
import { Storages } from "../../src/storage/storages.ts";
import { Nobodies } from "../../src/upstream/nobodies.ts";
import { Room } from "../../src/upstream/room.ts";
import type { StoragesFinder } from "../../src/upstream/tries.ts";
import { Memory, type Share } from "../../src/session/memory.ts";
import type { AdmissionRules } from "../../src/upstream/admission.ts";
import type { ListenFailure } from "../../src/upstream/host.ts";
import { Upstream } from "../../src/upstream/upstream.ts";
import type { PlayedConnection } from "../session/played-connection.ts";
import { eight, Speech } from "../session/speech.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { PlayedTransport } from "./played-transport.ts";

const MIB = 1024 * 1024;

export const HANDSHAKE_MS = 30_000;

/** Finds out which server a name is, when the test says so. */
export class Finder {
  asked = 0;
  isCancelled = false;
  #found: Parameters<StoragesFinder>[0] = () => undefined;
  #failed: Parameters<StoragesFinder>[1] = () => undefined;

  readonly find: StoragesFinder = (found, failed) => {
    this.asked++;
    this.#found = found;
    this.#failed = failed;
    return () => {
      this.isCancelled = true;
    };
  };

  finds(storages: Storages): void {
    this.#found(storages);
  }

  fails(code: string): void {
    this.#failed(code);
  }
}

interface GateOptions {
  readonly clients?: number;
  readonly memoryBytes?: number;
  readonly finder?: Finder;
  /** Names of storages that the configuration has. */
  readonly expected?: readonly string[];
  readonly admission?: AdmissionRules;
  /** Hosts where the server can be beside `server`; each is another database. */
  readonly standbys?: readonly string[];
  readonly failoverMs?: number;
}

/** An upstream whose transport and clock are the test's. */
export class Gate {
  readonly clock = new MovedClock();
  readonly transport = new PlayedTransport();
  readonly speech = new Speech("Z5");
  readonly happenings: Happening[] = [];
  readonly room: Room;
  readonly memory: Memory;
  readonly storages: Storages;
  readonly upstream: Upstream;
  /** What is known of each of several places; and of which it was told that nobody is there any more. */
  readonly known = new Map<string, Storages>();
  readonly left: Storages[] = [];
  /** May be changed. */
  readonly settings = {
    limits: { frameBytes: MIB, handshakeMs: HANDSHAKE_MS, stalledMs: 60_000 },
    refuseUnknown: false,
  };
  /** What `bind` and `begin` have come to, each time. */
  readonly bound: (ListenFailure | undefined)[] = [];
  begun = 0;
  /** Is told of what happens, as a listener of the proxy's events is. */
  listener: (happening: Happening) => void = () => undefined;

  constructor(options: GateOptions = {}) {
    const { clients = 100, memoryBytes = 64 * MIB, finder, expected = [], admission, standbys, failoverMs } = options;
    const { clock, transport } = this;
    const report = (happening: Happening): void => {
      this.happenings.push(happening);
      this.listener(happening);
    };
    this.room = new Room(clients);
    const nobodies = new Nobodies(this.room, clock);
    const memory = new Memory(memoryBytes);
    this.memory = memory;
    const share = (free: () => void): Share => memory.share(free);
    const host = { clock, report, historyBytes: MIB, share };
    this.storages = new Storages("server:1", host);
    const findEach: StoragesFinder = (found, _failed, server) =>
      clock.after(0, () => {
        const name = formatAddress(server);
        const known = this.known.get(name) ?? new Storages(name, host);
        this.known.set(name, known);
        found(known);
      });
    const found = standbys === undefined ? this.storages : findEach;
    const places = standbys?.map((one) => ({ host: one, port: 1 }));
    const limits = { ...this.settings.limits, ...(failoverMs !== undefined && { failoverMs }) };
    this.upstream = new Upstream(
      {
        name: "main",
        listen: { host: "127.0.0.1", port: 0 },
        server: { host: "server", port: 1 },
        storages: expected,
        ...(places !== undefined && { standbys: places }),
      },
      {
        settings: failoverMs === undefined ? this.settings : { ...this.settings, limits },
        clock,
        transport,
        storages: finder === undefined ? found : finder.find,
        left: (storages) => this.left.push(storages),
        memory,
        room: this.room,
        nobodies,
        report,
        ...(admission !== undefined && { admission }),
      },
    );
  }

  /** Asks for the address. */
  binds(): this {
    this.upstream.bind((failure) => this.bound.push(failure));
    return this;
  }

  /** Has the address, and asks whether the server answers. */
  begins(): this {
    this.binds();
    this.transport.listening.opens(4711);
    this.upstream.begin(() => this.begun++);
    return this;
  }

  /** Listens. */
  listens(): this {
    this.begins();
    this.answers();
    return this;
  }

  /** The server answers the newest dial, which was a try. */
  answers(): void {
    const server = this.transport.dialling.connects();
    server.reads(this.speech.name);
    server.settles();
  }

  /** A client that was accepted; its server is being dialled. */
  arrives(from?: string): PlayedConnection {
    return this.transport.listening.accepts(from);
  }

  /** A client that has a session. */
  connects(host?: string, from?: string): { client: PlayedConnection; server: PlayedConnection } {
    const client = this.arrives(from);
    return { client, server: this.transport.dialling.connects(false, host) };
  }

  /** One that has registered, so that the end of its server's connection may be an outage. */
  registers(host?: string): { client: PlayedConnection; server: PlayedConnection } {
    const { speech } = this;
    const pair = this.connects(host);
    pair.server.reads(speech.name);
    pair.client.reads(Buffer.concat([speech.name, speech.call(1, "register", "1", false)]));
    pair.server.reads(speech.reply(1, eight(1000)));
    return pair;
  }

  /** What was told of the upstream, and the reason where there is one. */
  get told(): string[] {
    return this.happenings.flatMap((happening) => {
      switch (happening.what) {
        case "listening":
        case "up":
        case "trouble-over":
          return [happening.what];
        case "down":
        case "blocked":
        case "trouble":
          return [`${happening.what}: ${happening.reason}`];
        case "moved":
          return [`moved: ${happening.from} to ${happening.to}`];
        default:
          return [];
      }
    });
  }

  /** Why the proxy has ended sessions. */
  get ends(): string[] {
    return this.happenings.flatMap((one) => (one.what === "ended" ? [`${one.end.code} by ${one.end.fault}`] : []));
  }

  get state(): Upstream["state"] {
    return this.upstream.state;
  }

  /** A server that was down answers the next try, and the address is had again: with that port. */
  comesBack(port?: number): void {
    this.clock.move(100);
    this.answers();
    this.transport.listening.opens(port);
  }

  /** All connections go on to their end, whichever waits for which. */
  settles(): void {
    for (let round = 0; round < 3; round++) for (const end of this.transport.connections) end.settles();
  }

  /** Stops, and everyone leaves. */
  leave(): void {
    this.upstream.stop();
    this.expectOver();
  }

  /** After a stop nothing may be left: no dial, no address, no timer, no client. Sessions are ended before. */
  expectOver(): void {
    for (const session of this.upstream.sessions) session.destroy();
    this.settles();
    expect(this.state).toBe("stopped");
    expect(this.transport.dials.filter(({ state }) => state === "open")).toEqual([]);
    expect(this.transport.listenings.filter(({ isGivenUp }) => !isGivenUp)).toEqual([]);
    expect(this.transport.connections.filter(({ isClosed }) => !isClosed).map(({ peer }) => peer)).toEqual([]);
    expect(this.upstream.clients).toBe(0);
    expect(this.room.taken).toBe(0);
    // A storage looks once more whether anything is owed.
    this.clock.move(250);
    expect(this.clock.pending).toEqual([]);
  }
}

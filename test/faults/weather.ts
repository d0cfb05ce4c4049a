import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { LOOPBACK, reset } from "../peers/sockets.ts";
import type { Random } from "../simulate/random.ts";
import { pause } from "../soak/pause.ts";

/** What each new connection may get. */
export interface Climate {
  /** Each chunk comes later, by so many milliseconds at most. */
  readonly delayMs: number;
  /** What is written comes in pieces of some bytes. */
  readonly slices: boolean;
}

export const FAIR: Climate = { delayMs: 0, slices: false };

/** What passes to a client is changed by it: a fault that is planted, for who wants to see that it is found. */
export type Tamper = (chunk: Buffer) => Buffer;

/** A chunk that is longer is cut only in its first bytes: pieces cost a turn of the loop each. */
const SLICED_BYTES = 400;
/** So much of one direction waits at most. */
const MOST_WAITING = 1024 * 1024;
const LOOK_MS = 20;

/** One direction of a connection. */
class Lane {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #random: Random;
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  climate: Climate;
  stalledUntil = 0;

  constructor(from: Socket, to: Socket, climate: Climate, random: Random, tamper: Tamper | undefined) {
    this.#from = from;
    this.#to = to;
    this.climate = climate;
    this.#random = random;
    from.on("data", (chunk: Buffer) => {
      const passed = tamper === undefined ? chunk : tamper(chunk);
      this.#waiting += passed.length;
      if (this.#waiting > MOST_WAITING) from.pause();
      // A distance, not a narrow way: what comes meanwhile is on its way, too.
      const due = performance.now() + this.#random.below(this.climate.delayMs + 1);
      this.#behind(() => this.#pass(passed, due));
    });
  }

  /** Behind all that was read. */
  atEnd(what: () => void | Promise<void>): void {
    this.#behind(async () => what());
  }

  #behind(what: () => Promise<void>): void {
    this.#tail = this.#tail.then(what).catch(() => undefined);
  }

  async #pass(chunk: Buffer, due: number): Promise<void> {
    const left = due - performance.now();
    if (left > 0) await pause(left);
    await this.#stall();
    let at = 0;
    while (this.climate.slices && at < Math.min(chunk.length, SLICED_BYTES)) {
      const next = at + this.#random.between(1, 60);
      this.#to.write(chunk.subarray(at, next));
      at = next;
      await nextTurn();
      await this.#stall();
    }
    if (at < chunk.length && !this.#to.write(chunk.subarray(at)) && !this.#to.destroyed) {
      await Promise.race([once(this.#to, "drain"), once(this.#to, "close")]);
    }
    this.#waiting -= chunk.length;
    if (this.#waiting <= MOST_WAITING) this.#from.resume();
  }

  async #stall(): Promise<void> {
    for (let left = this.stalledUntil - performance.now(); left > 0; left = this.stalledUntil - performance.now()) {
      await pause(Math.min(left, LOOK_MS));
    }
  }
}

class Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly lanes: readonly [up: Lane, down: Lane];

  constructor(client: Socket, server: Socket, climate: Climate, random: Random, tamper: Tamper | undefined) {
    this.client = client;
    this.server = server;
    this.lanes = [
      new Lane(client, server, climate, random, undefined),
      new Lane(server, client, climate, random, tamper),
    ];
  }
}

/**
 * Stands before a port, and is the network's bad days. It listens while there is somebody at that port: a ZEO 4 client that
 * is accepted, and then hears nothing, waits for ten seconds before it tries again.
 */
export class Weather {
  readonly port: number;
  readonly #target: number;
  readonly #random: Random;
  readonly #climate: Climate;
  readonly #tamper: (() => Tamper) | undefined;
  readonly #pairs = new Set<Pair>();
  #listener: Server | undefined;
  #isFair = false;
  #isShut = false;
  #isAwaiting = false;
  #looking: Promise<void> | undefined;
  faults = 0;

  private constructor(port: number, target: number, climate: Climate, random: Random, tamper?: () => Tamper) {
    this.port = port;
    this.#target = target;
    this.#climate = climate;
    this.#random = random;
    this.#tamper = tamper;
  }

  /** `tamper`: one for each connection. */
  static async start(
    port: number,
    target: number,
    climate: Climate,
    random: Random,
    tamper?: () => Tamper,
  ): Promise<Weather> {
    const weather = new Weather(port, target, climate, random, tamper);
    await weather.#listen();
    return weather;
  }

  async #listen(): Promise<void> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#join(client));
    listener.listen(this.port, LOOPBACK);
    await once(listener, "listening");
    this.#listener = listener;
  }

  #join(client: Socket): void {
    const server = connect({ host: LOOPBACK, port: this.#target, allowHalfOpen: true, noDelay: true });
    const pair = new Pair(client, server, this.#isFair ? FAIR : this.#climate, this.#random, this.#tamper?.());
    this.#pairs.add(pair);
    const [up, down] = pair.lanes;
    client.on("end", () => up.atEnd(() => void server.end()));
    server.on("end", () =>
      down.atEnd(async () => {
        await this.#look();
        client.end();
      }),
    );
    client.on("error", () => reset(server));
    server.on("error", () => void this.#look().then(() => reset(client)));
    client.on("close", () => {
      this.#pairs.delete(pair);
      up.atEnd(() => void server.end());
    });
    server.on("close", () => {
      this.#pairs.delete(pair);
      down.atEnd(() => void client.end());
    });
  }

  /** Is there somebody? If not, nobody is accepted until there is. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    if (this.#isShut || (await isThere(this.#target))) return;
    this.#close();
    void this.#await();
  }

  async #await(): Promise<void> {
    if (this.#isAwaiting) return;
    this.#isAwaiting = true;
    while (!this.#isShut && !(await isThere(this.#target))) await pause(LOOK_MS);
    this.#isAwaiting = false;
    if (!this.#isShut && this.#listener === undefined) await this.#listen();
  }

  #close(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.close();
  }

  /** Whoever is behind it will be gone in a moment: nobody is accepted. */
  shut(): void {
    this.#isShut = true;
    this.#close();
  }

  /** Accepts again, as soon as there is somebody. */
  open(): void {
    this.#isShut = false;
    void this.#await();
  }

  /** Nothing goes on in one connection, in either direction or in both, for so long. */
  stall(ms: number): void {
    const pair = this.#one();
    if (pair === undefined) return;
    const until = performance.now() + ms;
    const [up, down] = pair.lanes;
    const which = this.#random.below(3);
    if (which !== 0) up.stalledUntil = until;
    if (which !== 1) down.stalledUntil = until;
    this.faults++;
  }

  /** A connection is broken off on both sides; what was on its way is lost. */
  reset(): void {
    const pair = this.#one();
    if (pair === undefined) return;
    reset(pair.client);
    reset(pair.server);
    this.faults++;
  }

  /** One end hears that the other has said all that it will say; what that says meanwhile goes on. */
  halfClose(): void {
    const pair = this.#one();
    if (pair === undefined) return;
    (this.#random.chance(0.5) ? pair.client : pair.server).end();
    this.faults++;
  }

  /** From now on all passes. */
  clearUp(): void {
    this.#isFair = true;
    for (const { lanes } of this.#pairs) {
      for (const lane of lanes) {
        lane.climate = FAIR;
        lane.stalledUntil = 0;
      }
    }
  }

  /** Each connection that is there: its client's port, what both ends have sent, and who of them has ended. */
  get connections(): string[] {
    return [...this.#pairs].map(({ client, server }) => {
      const ends = [client, server].map((end) => `${end.bytesRead}${end.readableEnded ? " ended" : ""}`);
      return `${client.remotePort}: ${ends.join(" / ")}`;
    });
  }

  #one(): Pair | undefined {
    const pairs = [...this.#pairs];
    return pairs.length === 0 ? undefined : this.#random.pick(pairs);
  }

  async stop(): Promise<void> {
    this.shut();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    await this.#looking;
  }
}

/** Does anybody accept there? */
function isThere(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

import { describe, expect, it } from "vitest";
import { WitnessPair } from "../../src/witness/pair.ts";
import { NEW, OLD, Scene, stock, tid } from "./scripted.ts";

const STALL_MS = 500;

const pair = (kind = NEW, count = 3): Scene =>
  new Scene(kind, stock(count), {}, (options) => new WitnessPair(options, STALL_MS));

const dials = ({ transport }: Scene): number => transport.dials.length;

describe("a second connection", () => {
  it("is not dialled where there is nothing to wait for, or replies come", () => {
    const scene = pair();
    const server = scene.enters();
    scene.clock.move(60_000);
    for (let n = 0; n < 10; n++) {
      scene.witness.ask((last) => scene.tellings.push(["asked", last]));
      scene.clock.move(STALL_MS - 1);
      server.serves();
    }
    expect(scene.told().length).toBe(11);
    expect(dials(scene)).toBe(1);
  });

  it("stays where it answers first: what was called over the other one is called no more", () => {
    const scene = pair();
    const first = scene.enters();
    scene.witness.ask(() => expect.unreachable());
    scene.clock.move(2 * STALL_MS);
    expect(dials(scene)).toBe(2);
    expect(scene.told()).toEqual([["up", 30n]]);
    const second = scene.enters();
    expect(first.connection.hasEnded).toBe(true);
    expect(scene.told()).toEqual([
      ["down", "stalled"],
      ["up", 30n],
    ]);
    scene.witness.ask((last) => scene.tellings.push(["asked", last]));
    second.invalidates(tid(40), 1n);
    second.serves();
    expect(scene.told()).toEqual([
      ["told", 40n, "0000000000000001"],
      ["asked", 30n],
    ]);
  });

  it("is given up where the first one answers after all, and is told nothing", () => {
    const scene = pair();
    const first = scene.enters();
    scene.witness.ask((last) => scene.tellings.push(["asked", last]));
    scene.clock.move(2 * STALL_MS);
    const second = scene.connects();
    second.greets();
    second.invalidates(tid(40), 1n);
    first.serves();
    expect(second.connection.hasEnded).toBe(true);
    expect(scene.told()).toEqual([
      ["up", 30n],
      ["asked", 30n],
    ]);
    scene.clock.move(60_000);
    expect(dials(scene)).toBe(2);
  });

  it("is given up while it is dialled", () => {
    const scene = pair();
    const first = scene.enters();
    scene.witness.ask(() => undefined);
    scene.clock.move(2 * STALL_MS);
    first.serves();
    expect(scene.transport.dialling.state).toBe("cancelled");
  });

  it("takes the first one's place when that ends", () => {
    const scene = pair();
    const first = scene.enters();
    scene.witness.ask(() => expect.unreachable());
    scene.clock.move(2 * STALL_MS);
    const second = scene.connects();
    first.connection.ends();
    expect(scene.told()).toEqual([
      ["up", 30n],
      ["down", "ended"],
    ]);
    second.greets();
    second.serves();
    expect(scene.told()).toEqual([["up", 30n]]);
    scene.clock.move(60_000);
    expect(dials(scene)).toBe(2);
  });

  it("is dialled at once where it waits, and is to take the first one's place", () => {
    const scene = pair();
    const first = scene.enters();
    scene.witness.ask(() => expect.unreachable());
    scene.clock.move(2 * STALL_MS);
    for (const ms of [100, 200, 400, 800, 1_600]) {
      scene.transport.dialling.fails();
      scene.clock.move(ms);
    }
    scene.transport.dialling.fails();
    const before = dials(scene);
    first.connection.ends();
    expect(dials(scene)).toBe(before + 1);
    expect(scene.told().at(-1)).toEqual(["down", "ended"]);
  });

  it("is followed by a third where it is stalled itself when it takes the first one's place", () => {
    const scene = pair();
    const first = scene.enters();
    scene.witness.ask(() => expect.unreachable());
    scene.clock.move(2 * STALL_MS);
    scene.connects();
    scene.clock.move(STALL_MS);
    expect(dials(scene)).toBe(2);
    first.connection.ends();
    scene.clock.move(0);
    expect(dials(scene)).toBe(3);
    scene.enters();
    expect(scene.told().at(-1)).toEqual(["up", 30n]);
  });

  it("is dialled beside one that does not greet, and answers in its place", () => {
    const scene = pair();
    const first = scene.connects();
    scene.clock.move(STALL_MS);
    scene.enters();
    expect(first.connection.hasEnded).toBe(true);
    expect(scene.told().at(-1)).toEqual(["up", 30n]);
  });

  it("leaves it to the first one to say that the server speaks TLS", () => {
    const scene = pair();
    scene.connects();
    scene.clock.move(STALL_MS);
    const second = scene.connects();
    scene.clock.move(10_000);
    expect(scene.told()).toEqual([["unable", "tls"]]);
    expect(second.connection.hasEnded).toBe(true);
  });

  it("does not say so of a server that has greeted before, when it has taken the first one's place", () => {
    const scene = pair();
    const first = scene.enters();
    scene.witness.ask(() => expect.unreachable());
    scene.clock.move(2 * STALL_MS);
    scene.connects();
    first.connection.ends();
    scene.clock.move(10_000);
    expect(scene.told()).toEqual([
      ["up", 30n],
      ["down", "ended"],
      ["down", "silent"],
    ]);
  });

  it("has its own stalls: another one is dialled when it is the first", () => {
    const scene = pair();
    scene.enters();
    for (let n = 2; n < 6; n++) {
      scene.witness.ask(() => expect.unreachable());
      scene.clock.move(2 * STALL_MS);
      expect(dials(scene)).toBe(n);
      scene.enters();
    }
  });

  it("is dialled later each time that a range could not be read, until one is", () => {
    const scene = pair(OLD);
    scene.enters();
    const readsIn = (ms: number): void => {
      const before = dials(scene);
      // What came last counts from here on no more.
      scene.clock.move(STALL_MS);
      scene.reads({ above: tid(10), upTo: tid(30) });
      scene.clock.move(ms - 1);
      expect(dials(scene)).toBe(before);
      scene.clock.move(1);
      expect(dials(scene)).toBe(before + 1);
    };
    readsIn(STALL_MS);
    scene.enters();
    readsIn(2 * STALL_MS);
    scene.enters();
    readsIn(4 * STALL_MS);
    const server = scene.enters();
    scene.told();
    expect(scene.witness.progress).toBe(0);
    scene.reads({ above: tid(10), upTo: tid(30) });
    server.serves();
    expect(scene.witness.progress).toBeGreaterThan(5);
    expect(scene.told()).toEqual([
      [
        "read",
        [
          [20n, 2],
          [30n, 2],
        ],
      ],
    ]);
    scene.clock.move(60_000);
    readsIn(STALL_MS);
  });

  it("ends with the first one", () => {
    const scene = pair();
    const first = scene.enters();
    scene.witness.ask(() => expect.unreachable());
    scene.clock.move(2 * STALL_MS);
    const second = scene.connects();
    scene.told();
    scene.witness.stop();
    expect([first.connection.hasEnded, second.connection.hasEnded]).toEqual([true, true]);
    scene.clock.move(120_000);
    expect([scene.told(), dials(scene), scene.clock.pending]).toEqual([[], 2, []]);
  });

  it("is not dialled once the witness is stopped", () => {
    const scene = pair();
    scene.enters();
    scene.witness.ask(() => expect.unreachable());
    scene.witness.stop();
    scene.clock.move(60_000);
    expect(dials(scene)).toBe(1);
  });

  it("is dialled after the time that the limits have then", () => {
    const limits = { stallMs: STALL_MS };
    const scene = new Scene(NEW, stock(3), {}, (options) => new WitnessPair({ ...options, limits }));
    limits.stallMs = 3 * STALL_MS;
    scene.enters();
    scene.witness.ask(() => expect.unreachable());
    scene.clock.move(2 * STALL_MS);
    expect(dials(scene)).toBe(1);
    scene.clock.move(4 * STALL_MS);
    expect(dials(scene)).toBe(2);
    scene.witness.stop();
  });

  it("reads as many transactions as the limits have then", () => {
    const limits = { stallMs: STALL_MS, transactions: 2 };
    const scene = new Scene(NEW, stock(3), {}, (options) => new WitnessPair({ ...options, limits }));
    const server = scene.enters();
    const read = (): void =>
      scene.witness.read(
        { above: tid(0), upTo: tid(30) },
        () => false,
        ({ kind }) => scene.tellings.push(["read", kind]),
      );
    scene.told();
    read();
    for (let n = 0; n < 10; n++) server.serves();
    limits.transactions = 3;
    read();
    for (let n = 0; n < 10; n++) server.serves();
    expect(scene.told()).toEqual([
      ["read", "too-much"],
      ["read", "read"],
    ]);
    scene.witness.stop();
  });
});

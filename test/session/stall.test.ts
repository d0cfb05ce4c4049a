import { describe, expect, it } from "vitest";
import { Stall } from "../../src/session/stall.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { PlayedConnection } from "./played-connection.ts";

interface Scene {
  readonly clock: MovedClock;
  readonly client: PlayedConnection;
  readonly limits: { stalledMs: number };
  readonly stall: Stall;
  readonly stalled: () => number;
}

/** A client that is behind, and is given 1,000 ms. */
function behind(): Scene {
  const clock = new MovedClock();
  const client = new PlayedConnection("client:1");
  client.handOver({ read: () => undefined, ended: () => undefined, drained: () => undefined, closed: () => undefined });
  let times = 0;
  const limits = { stalledMs: 1000 };
  const stall = new Stall(client, clock, limits, () => void times++);
  client.sticks();
  client.write(Buffer.alloc(10));
  stall.watch();
  return { clock, client, limits, stall, stalled: () => times };
}

describe("a client that is behind", () => {
  it("has stalled when it has taken nothing for so long, and that is told once", () => {
    const { clock, stalled } = behind();
    clock.move(999);
    expect(stalled()).toBe(0);
    clock.move(1);
    expect(stalled()).toBe(1);
    clock.move(10_000);
    expect(stalled()).toBe(1);
    expect(clock.pending).toEqual([]);
  });

  it("has not while it takes anything, and is given the whole time anew", () => {
    const { clock, client, stalled } = behind();
    for (let n = 0; n < 10; n++) {
      clock.move(999);
      client.takes();
    }
    expect(stalled()).toBe(0);
    clock.move(999);
    expect(stalled()).toBe(0);
    clock.move(251);
    expect(stalled()).toBe(1);
  });

  it("has not while only the system sees that it takes anything", () => {
    const { clock, client, stalled } = behind();
    for (let left = 100; left > 0; left--) {
      client.seen = { unacknowledged: left, hasLeft: false };
      clock.move(749);
    }
    expect(stalled()).toBe(0);
    clock.move(1000);
    expect(stalled()).toBe(1);
  });

  it("is left alone where the system answers behind stop, and looked at anew by watch", () => {
    const { clock, client, stall, stalled } = behind();
    client.answersLater();
    clock.move(250);
    stall.stop();
    client.answers(undefined);
    expect(clock.pending).toEqual([]);
    stall.watch();
    expect(clock.pending).toEqual([250]);
    expect(stalled()).toBe(0);
  });

  it("is looked at no more when it is behind no more, until it is again", () => {
    const { clock, client, stall, stalled } = behind();
    client.drains();
    clock.move(250);
    expect(clock.pending).toEqual([]);
    client.sticks();
    client.write(Buffer.alloc(10));
    stall.watch();
    clock.move(999);
    stall.watch(); // said again for each chunk
    expect(stalled()).toBe(0);
    clock.move(1);
    expect(stalled()).toBe(1);
  });

  it("is not looked at behind stop", () => {
    const { clock, stall, stalled } = behind();
    stall.stop();
    expect(clock.pending).toEqual([]);
    clock.move(10_000);
    expect(stalled()).toBe(0);
  });
});

it("another time that is allowed counts from the next look on", () => {
  const { clock, limits, stalled } = behind();
  clock.move(250);
  limits.stalledMs = 400;
  clock.move(250 + 99);
  expect(stalled()).toBe(0);
  clock.move(1 + 100);
  expect(stalled()).toBe(1);
});

import { describe, expect, it } from "vitest";
import { Leg } from "../../src/session/leg.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { PlayedConnection } from "./played-connection.ts";

const LINGER_MS = 5_000;

function newLeg() {
  const clock = new MovedClock();
  const connection = new PlayedConnection("client:1");
  return { clock, connection, leg: new Leg(connection, clock) };
}

/** The other end is waited for, for a minute; ten bytes wait for it. */
function newWaitingLeg() {
  const clock = new MovedClock();
  const connection = new PlayedConnection("client:1");
  connection.handOver({ read: () => {}, ended: () => {}, drained: () => {}, closed: () => {} });
  let lost = 0;
  const leg = new Leg(connection, clock, { limits: { stalledMs: 60_000 }, lost: () => void lost++ });
  connection.sticks();
  connection.write(Buffer.alloc(10));
  return { clock, connection, leg, lost: () => lost };
}

describe("a leg whose other end is waited for", () => {
  it("and that closes is destroyed when that has taken nothing for so long, and this is told", () => {
    const { clock, connection, leg, lost } = newWaitingLeg();
    leg.close();
    clock.move(60_000 - 1);
    expect(connection.commands).toEqual(["end", "resume"]);
    expect(lost()).toBe(0);
    clock.move(1);
    expect(connection.commands).toEqual(["end", "resume", "destroy"]);
    expect(lost()).toBe(1);
    clock.move(600_000);
    expect(lost()).toBe(1);
    expect(clock.pending).toEqual([]);
  });

  it("is left alone where only the system sees that it takes anything", () => {
    const { clock, connection, leg, lost } = newWaitingLeg();
    leg.close();
    for (let left = 100; left > 0; left--) {
      connection.seen = { unacknowledged: left, hasLeft: false };
      clock.move(30_000);
    }
    expect(connection.commands).toEqual(["end", "resume"]);
    clock.move(60_000);
    expect(connection.commands).toEqual(["end", "resume", "destroy"]);
    expect(lost()).toBe(1);
  });

  it("is destroyed in five seconds, without a word, once nothing waits for it", () => {
    const { clock, connection, leg, lost } = newWaitingLeg();
    leg.close();
    clock.move(30_000);
    connection.drains();
    clock.move(LINGER_MS);
    expect(connection.commands).toEqual(["end", "resume"]);
    clock.move(LINGER_MS);
    expect(connection.commands).toEqual(["end", "resume", "destroy"]);
    expect(lost()).toBe(0);
  });

  it("that is closed is looked at no more, though the system still has to answer", () => {
    const { clock, connection, leg, lost } = newWaitingLeg();
    connection.answersLater();
    leg.close();
    clock.move(LINGER_MS);
    leg.closed();
    connection.answers(undefined);
    expect(clock.pending).toEqual([]);
    expect(lost()).toBe(0);
  });
});

describe("a leg", () => {
  it("ends our half once, and has no timer for that", () => {
    const { clock, connection, leg } = newLeg();
    leg.end();
    leg.end();
    expect(connection.commands).toEqual(["end"]);
    expect(clock.pending).toEqual([]);
  });

  it("that closes ends our half, reads on, and is destroyed when the other end does not follow in five seconds", () => {
    const { clock, connection, leg } = newLeg();
    leg.close();
    leg.close();
    expect(connection.commands).toEqual(["end", "resume"]);
    expect(clock.pending).toEqual([LINGER_MS]);
    clock.move(LINGER_MS - 1);
    expect(connection.commands).toEqual(["end", "resume"]);
    clock.move(1);
    expect(connection.commands).toEqual(["end", "resume", "destroy"]);
    expect(clock.pending).toEqual([]);
  });

  it("that closes is destroyed so, too, when something waits for the other end, for which nobody waits", () => {
    const { clock, connection, leg } = newLeg();
    connection.sticks();
    connection.write(Buffer.alloc(10));
    leg.close();
    clock.move(LINGER_MS);
    expect(connection.commands).toEqual(["end", "resume", "destroy"]);
  });

  it("that closes is left alone as long as the other end takes anything", () => {
    const { clock, connection, leg } = newLeg();
    leg.close();
    for (let n = 0; n < 3; n++) {
      clock.move(LINGER_MS - 1);
      connection.takes();
      clock.move(1);
      expect(connection.commands).toEqual(["end", "resume"]);
    }
    clock.move(LINGER_MS);
    expect(connection.commands).toEqual(["end", "resume", "destroy"]);
  });

  it("that has ended our half before only lingers", () => {
    const { connection, leg } = newLeg();
    leg.end();
    leg.close();
    expect(connection.commands).toEqual(["end", "resume"]);
  });

  it("that is closed has no timer any more, and is commanded nothing", () => {
    const { clock, connection, leg } = newLeg();
    leg.close();
    leg.closed();
    expect(clock.pending).toEqual([]);
    connection.commands.length = 0;
    leg.end();
    leg.close();
    leg.destroy();
    expect(connection.commands).toEqual([]);
    expect(clock.pending).toEqual([]);
    expect(leg.isClosed).toBe(true);
  });

  it("can be destroyed while it lingers", () => {
    const { clock, connection, leg } = newLeg();
    leg.close();
    leg.destroy();
    expect(connection.commands).toEqual(["end", "resume", "destroy"]);
    leg.closed();
    expect(clock.pending).toEqual([]);
  });
});

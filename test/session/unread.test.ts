import { describe, expect, it } from "vitest";
import { Unread } from "../../src/session/unread.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { PlayedConnection } from "./played-connection.ts";
import { Stage, type Pair } from "./stage.ts";

/** It is looked at so often, */
const HALF_MS = 5_000;
/** and its server hangs when it has taken nothing twice. */
const LOOK_MS = 2 * HALF_MS;
const LEFT = { unacknowledged: 0, hasLeft: true };
const STAYS = { unacknowledged: 0, hasLeft: false };

function newUnread() {
  const clock = new MovedClock();
  const [client, server] = [new PlayedConnection("client:1"), new PlayedConnection("server:1")];
  let left = 0;
  const unread = new Unread(client, server, clock, () => void left++);
  unread.watch();
  return { clock, client, server, unread, left: () => left };
}

describe("a client that is left unread", () => {
  it("has left when the system says so, and its server takes nothing", () => {
    const { clock, client, left } = newUnread();
    client.seen = STAYS;
    clock.move(10 * LOOK_MS);
    client.seen = LEFT;
    clock.move(HALF_MS - 1);
    expect(left()).toBe(0);
    clock.move(1);
    expect(left()).toBe(1);
    expect(clock.pending).toEqual([]);
  });

  it("will be read where its server takes anything", () => {
    const { clock, client, server, left } = newUnread();
    client.seen = LEFT;
    for (let n = 0; n < 10; n++) {
      clock.move(LOOK_MS - 1);
      server.takes();
      clock.move(1);
    }
    expect(left()).toBe(0);
    clock.move(LOOK_MS - 1);
    expect(left()).toBe(0);
    clock.move(1);
    expect(left()).toBe(1);
  });

  it("will be read, too, where only the system sees that its server takes anything", () => {
    const { clock, client, server, left } = newUnread();
    client.seen = LEFT;
    for (let unacknowledged = 100; unacknowledged > 0; unacknowledged--) {
      server.seen = { unacknowledged, hasLeft: false };
      clock.move(HALF_MS);
    }
    expect(left()).toBe(0);
    clock.move(LOOK_MS);
    expect(left()).toBe(1);
  });

  it("stays where the system does not tell", () => {
    const { clock, left } = newUnread();
    clock.move(100 * LOOK_MS);
    expect(left()).toBe(0);
  });

  it("is looked at no more when it is read, though the system still has to answer for either end", () => {
    for (const end of ["client", "server"] as const) {
      const played = newUnread();
      const { clock, unread, left } = played;
      played[end].answersLater();
      played.client.seen = LEFT;
      clock.move(end === "client" ? LOOK_MS : HALF_MS);
      unread.stop();
      played[end].answers(LEFT);
      expect(clock.pending).toEqual([]);
      expect(left()).toBe(0);
      unread.watch();
      unread.watch();
      expect(clock.pending).toEqual([HALF_MS]);
    }
  });
});

it("a client that is read again is looked at no more, though its server has taken something while the system was asked", () => {
  const { clock, server, unread } = newUnread();
  server.answersLater();
  clock.move(HALF_MS);
  unread.stop();
  server.takes();
  server.answers(undefined);
  expect(clock.pending).toEqual([]);
});

describe("a session whose server takes nothing", () => {
  const hung = (stage: Stage): Pair => {
    const pair = stage.registered();
    pair.server.sticks();
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(100_000)));
    expect(pair.client.isPaused).toBe(true);
    return pair;
  };

  it("is closed on both sides when its client has left, without a word", () => {
    const stage = new Stage();
    const pair = hung(stage);
    pair.client.seen = LEFT;
    stage.clock.move(LOOK_MS);
    expect(pair.client.commands.at(-1)).toBe("destroy");
    expect(pair.server.commands.at(-1)).toBe("destroy");
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("is looked at no more once its server takes all, and its client is read", () => {
    const stage = new Stage();
    const pair = hung(stage);
    pair.server.drains();
    expect(pair.client.isPaused).toBe(false);
    pair.client.seen = LEFT;
    stage.clock.move(10 * LOOK_MS);
    expect(pair.client.commands).toEqual(["pause", "resume"]);
    stage.leave();
  });

  it("leaves an orphan, where its client's commit is on its way", () => {
    const stage = new Stage();
    const pair = stage.finishing();
    pair.server.sticks();
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(100_000)));
    pair.client.seen = LEFT;
    stage.clock.move(LOOK_MS);
    expect(pair.client.commands.at(-1)).toBe("destroy");
    expect(pair.server.commands).toEqual([]);
    expect(pair.session.life).toBe("orphan");
    stage.leave();
  });

  it("that is closed has no timer for it", () => {
    const stage = new Stage();
    const pair = hung(stage);
    pair.client.seen = STAYS;
    stage.leave();
    expect(stage.clock.pending).toEqual([]);
  });
});

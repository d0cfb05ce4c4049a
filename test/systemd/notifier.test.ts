import { beforeEach, describe, expect, it } from "vitest";
import { Notifier } from "../../src/systemd/notifier.ts";
import { MovedClock } from "../storage/moved-clock.ts";

/** A clock that is turned on, a voice that answers when it is told to, and what was said. */
class Stage {
  readonly clock = new MovedClock();
  status = "1 upstream listening, 0 clients";
  readonly said: (readonly string[])[] = [];
  readonly lines: string[] = [];
  isClosed = false;
  #done: ((failure: string | undefined) => void) | undefined;

  notifier(watchdogMs?: number): Notifier {
    return new Notifier({
      clock: this.clock,
      voice: {
        say: (message, done) => {
          this.said.push(message);
          this.#done = done;
        },
        close: () => {
          this.isClosed = true;
        },
      },
      watchdogMs,
      status: () => this.status,
      monotonicMicros: () => 5000n,
      failed: (reason) => this.lines.push(reason),
      heard: () => this.lines.push("heard"),
    });
  }

  /** The message on its way was taken, or was not. */
  answer(failure?: string): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(failure);
  }

  /** All that was said since the last look; it was taken. */
  heard(): (readonly string[])[] {
    while (this.#done !== undefined) this.answer();
    return this.said.splice(0);
  }
}

let stage = new Stage();
beforeEach(() => {
  stage = new Stage();
});

describe("the states", () => {
  it("are told once each, in order, with the status", () => {
    const notifier = stage.notifier();
    expect(stage.heard()).toEqual([["STATUS=starting"]]);
    notifier.ready();
    expect(stage.heard()).toEqual([["READY=1", "STATUS=1 upstream listening, 0 clients"]]);
    notifier.reloading();
    notifier.ready();
    expect(stage.heard()).toEqual([
      ["RELOADING=1", "MONOTONIC_USEC=5000", "STATUS=reading the configuration again"],
      ["READY=1", "STATUS=1 upstream listening, 0 clients"],
    ]);
    notifier.stopping();
    expect(stage.heard()).toEqual([["STOPPING=1", "STATUS=stopping"]]);
    stage.clock.move(60_000);
    expect(stage.heard()).toEqual([]);
  });

  it("are told one at a time: a second one waits until the first was taken", () => {
    const notifier = stage.notifier();
    stage.heard();
    notifier.ready();
    notifier.reloading();
    expect(stage.said.splice(0).map(([first]) => first)).toEqual(["READY=1"]);
    stage.answer();
    expect(stage.said.map(([first]) => first)).toEqual(["RELOADING=1"]);
  });

  it("that were not taken are told again, before later ones", () => {
    const notifier = stage.notifier();
    stage.heard();
    notifier.ready();
    stage.answer("gone");
    notifier.stopping();
    stage.answer("gone");
    expect(stage.said.splice(0).map(([first]) => first)).toEqual(["READY=1", "READY=1"]);
    stage.clock.move(10_000);
    expect(stage.heard().map(([first]) => first)).toEqual(["READY=1", "STOPPING=1"]);
  });

  it("behind a stop are told no more", () => {
    const notifier = stage.notifier();
    notifier.stopping();
    notifier.ready();
    notifier.reloading();
    expect(stage.heard()).toEqual([["STATUS=starting"], ["STOPPING=1", "STATUS=stopping"]]);
  });

  it("that wait at the end are said without an answer, and nothing behind them", () => {
    const notifier = stage.notifier();
    notifier.ready();
    notifier.stopping();
    expect(stage.said).toEqual([["STATUS=starting"]]);
    notifier.end();
    expect(stage.said).toEqual([["STATUS=starting"], ["READY=1"], ["STOPPING=1"]]);
    expect(stage.isClosed).toBe(true);
    expect(stage.clock.pending).toEqual([]);
    notifier.look();
    notifier.ready();
    expect(stage.clock.pending).toEqual([]);
    expect(stage.said).toHaveLength(3);
  });

  it("on its way at the end is not said twice", () => {
    const notifier = stage.notifier();
    stage.heard();
    notifier.stopping();
    notifier.end();
    expect(stage.said).toEqual([["STOPPING=1", "STATUS=stopping"]]);
  });
});

describe("the status", () => {
  it("is told when it has changed: every ten seconds, or a second after a hint", () => {
    const notifier = stage.notifier();
    notifier.ready();
    stage.heard();
    stage.clock.move(10_000);
    expect(stage.heard()).toEqual([]);
    stage.status = "1 upstream listening, 1 client";
    stage.clock.move(9_999);
    expect(stage.heard()).toEqual([]);
    stage.clock.move(1);
    expect(stage.heard()).toEqual([["STATUS=1 upstream listening, 1 client"]]);
    stage.status = "0 of 1 upstream listening (main: down), 1 client";
    notifier.look();
    notifier.look();
    stage.clock.move(1_000);
    expect(stage.heard()).toEqual([["STATUS=0 of 1 upstream listening (main: down), 1 client"]]);
    expect(stage.clock.pending).toHaveLength(1);
  });
});

describe("the watchdog", () => {
  it("hears at half of its time that the loop turns, from the start on until the end", () => {
    const notifier = stage.notifier(8_000);
    stage.heard();
    stage.clock.move(4_000);
    expect(stage.heard()).toEqual([["WATCHDOG=1"]]);
    notifier.ready();
    stage.heard();
    stage.clock.move(12_000);
    expect(stage.heard()).toHaveLength(2); // While one is on its way they are put together.
    notifier.stopping();
    stage.heard();
    stage.clock.move(4_000);
    expect(stage.heard()).toEqual([["WATCHDOG=1"]]);
    notifier.end();
    stage.clock.move(60_000);
    expect(stage.heard()).toEqual([]);
  });

  it("hears as often of a loop whose messages are taken late", () => {
    stage.notifier(8_000);
    stage.clock.move(4_000);
    stage.clock.move(4_000);
    expect(stage.said).toEqual([["STATUS=starting"]]);
    expect(stage.heard()).toEqual([["STATUS=starting"], ["WATCHDOG=1"]]);
  });

  it("is nobody where it has not been asked for", () => {
    stage.notifier();
    stage.heard();
    stage.clock.move(60_000);
    expect(stage.heard()).toEqual([]);
  });
});

describe("a failure", () => {
  it("is told once, and once that it is over; what is due is said at each beat", () => {
    stage.notifier(8_000);
    stage.answer("no socket");
    for (const _ of [1, 2, 3]) {
      stage.clock.move(4_000);
      stage.answer("no socket");
    }
    expect(stage.lines).toEqual(["no socket"]);
    expect(stage.said).toHaveLength(4);
    stage.clock.move(4_000);
    stage.answer();
    expect(stage.said.at(-1)).toEqual(["WATCHDOG=1", "STATUS=starting"]);
    expect(stage.lines).toEqual(["no socket", "heard"]);
  });
});

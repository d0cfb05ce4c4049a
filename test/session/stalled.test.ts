import { describe, expect, it } from "vitest";
import { slow, slowAndDraining } from "./scenes.ts";
import { Stage, STALLED_MS } from "./stage.ts";

describe("limits.stalled", () => {
  it("ends a client that takes nothing of what waits for it", () => {
    const stage = new Stage();
    const pair = slow(stage);
    stage.clock.move(STALLED_MS - 1);
    expect(stage.endings(pair)).toEqual([]);
    stage.clock.move(1);
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
      end: {
        detail: expect.stringMatching(/^1\d\d\d bytes wait for it$/),
        expected: "something taken within 60000 ms",
      },
    });
    expect(pair.client.commands).toEqual(["destroy"]);
    stage.leave();
  });

  it("ends one whose server has closed, too, and who waits for others' commits", () => {
    const stage = new Stage();
    const pair = slowAndDraining(stage);
    stage.clock.move(STALLED_MS);
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    stage.leave();
  });

  it("ends one whose server has closed, for whom nothing but what is written waits", () => {
    const stage = new Stage();
    const pair = slow(stage);
    pair.server.closes();
    stage.clock.move(STALLED_MS - 5_000);
    expect(stage.endings(pair)).toEqual([]);
    stage.clock.move(5_000);
    expect(stage.endings(pair)).toEqual(["client-too-slow by client"]);
    expect(pair.client.commands).toEqual(["end", "resume", "destroy"]);
    stage.leave();
  });

  it("ends nobody who takes a little now and then, however long it takes", () => {
    const stage = new Stage();
    const pair = slow(stage);
    for (let n = 0; n < 20; n++) {
      stage.clock.move(STALLED_MS * 0.9);
      pair.client.takes();
    }
    expect(stage.endings(pair)).toEqual([]);
    pair.client.drains();
    stage.clock.move(10 * STALLED_MS);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("ends nobody for whom nothing waits, and nobody who is relayed", () => {
    const stage = new Stage();
    const idle = stage.registered();
    const pair = stage.connected();
    pair.client.reads(Buffer.from("160301", "hex"), Buffer.from("more"));
    pair.client.sticks();
    pair.server.reads(Buffer.alloc(1000));
    // Both have said something: it is in use.
    pair.client.reads(Buffer.from("17", "hex"));
    stage.clock.move(10 * STALLED_MS);
    expect(stage.endings(idle)).toEqual([]);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });
});

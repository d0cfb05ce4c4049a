import { describe, expect, it } from "vitest";
import { eight } from "./speech.ts";
import { Stage, type Pair } from "./stage.ts";

describe("limits.memory", () => {
  const memory = { memoryBytes: 200_000 };
  const part = (stage: Stage, bytes = 90_000): Buffer => stage.speech.tell("receiveBlobChunk", Buffer.alloc(bytes));

  /** Something is due to it and shown behind it, so what the server writes is kept. */
  function held(stage: Stage): Pair {
    const [other, pair] = [stage.finishing(1), stage.registered()];
    other.server.reads(stage.speech.reply(9, eight(2000)));
    pair.server.reads(stage.speech.reply(99, eight(2000)));
    return pair;
  }

  it("counts what is held, whether or not the client is behind", () => {
    const stage = new Stage("Z5", memory);
    const pair = held(stage);
    pair.server.reads(part(stage), part(stage));
    expect(stage.endings(pair)).toEqual([]);
    pair.server.reads(part(stage));
    expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
    expect(pair.client.commands).toEqual(["destroy"]);
    expect(pair.session.life).toBe("over");
    stage.leave();
  });

  it("ends who holds most, and nobody else", () => {
    const stage = new Stage("Z5", memory);
    const less = stage.registered();
    const most = held(stage);
    most.server.reads(part(stage));
    less.server.reads(stage.speech.reply(99, eight(2000)), part(stage, 80_000));
    expect(stage.endings(most)).toEqual([]);
    less.server.reads(part(stage, 40_000));
    expect([stage.endings(most), stage.endings(less)]).toEqual([[], ["memory-exhausted by client"]]);
    stage.leave();
  });

  it("counts what has come of a message that is not whole, of either side", () => {
    const stage = new Stage("Z5", memory);
    const [a, b] = [stage.registered(), stage.registered()];
    // Longer than what is ever held of a client goes another way.
    a.client.reads(stage.speech.tell("tpc_begin", "", "x".repeat(150_000), "").subarray(0, 120_000));
    expect(stage.memory.bytes).toBeGreaterThan(100_000);
    b.server.reads(
      stage.speech.invalidation(2000, ...Array.from({ length: 30_000 }, (_, n) => n)).subarray(0, 150_000),
    );
    expect([stage.endings(a), stage.endings(b)]).toEqual([[], ["memory-exhausted by client"]]);
    stage.leave();
  });

  it("counts the stores of a transaction, and what waits for a server", () => {
    const stage = new Stage("Z5", memory);
    const pair = stage.registered();
    pair.client.reads(stage.speech.begin(9), ...Array.from({ length: 6000 }, (_, n) => stage.speech.store(9, n)));
    expect(stage.memory.bytes).toBeGreaterThan(40_000);
    pair.server.sticks();
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(1)));
    stage.leave();
    expect(stage.memory.bytes).toBe(0);
  });

  it("leaves a client that has a tpc_finish on its way as an orphan", () => {
    const stage = new Stage("Z5", memory);
    const { speech } = stage;
    const [pair, other] = [stage.finishing(1), stage.registered()];
    pair.client.sticks();
    pair.server.reads(part(stage), part(stage), part(stage));
    expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
    expect(pair.session.life).toBe("orphan");
    pair.server.reads(speech.reply(9, eight(2000)));
    other.server.reads(speech.invalidation(2000));
    expect(stage.said(other)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("counts an announcement once, however many clients it waits for", () => {
    const stage = new Stage("Z5", { memoryBytes: 400_000 });
    const { speech } = stage;
    const other = stage.registered();
    const pairs = Array.from({ length: 4 }, () => stage.registered());
    const many = Array.from({ length: 20_000 }, (_, n) => n + 100);
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000)));
    for (const { client, server } of pairs) {
      client.sticks();
      server.reads(speech.invalidation(2000, ...many));
    }
    expect(pairs.flatMap((pair) => stage.endings(pair))).toEqual([]);
    expect(pairs.map(({ server }) => server.isPaused)).toEqual([true, true, true, true]);
    stage.leave();
  });
});

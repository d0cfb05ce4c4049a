import { describe, expect, it, vi } from "vitest";
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
    expect(stage.happenings.find(({ what }) => what === "ended")).toMatchObject({
      end: { detail: expect.stringMatching(/^2\d{5} bytes, more than any other's$/) },
    });
    expect(pair.client.commands).toEqual(["destroy"]);
    expect(pair.session.life).toBe("over");
    stage.leave();
  });

  it("is looked at for each 8 KiB that are read, not for each chunk", () => {
    const stage = new Stage("Z5", { memoryBytes: 5_000 });
    const pair = stage.registered();
    const large = stage.speech.invalidation(2000, ...Array.from({ length: 2_000 }, (_, n) => n));
    pair.session.look();
    pair.server.reads(large.subarray(0, 4_096), large.subarray(4_096, 8_191));
    expect(stage.endings(pair)).toEqual([]);
    pair.server.reads(large.subarray(8_191, 8_192));
    expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
    stage.leave();
  });

  it("counts what was said behind a name that waits for the other's", () => {
    for (const end of ["client", "server"] as const) {
      const stage = new Stage("Z5", memory);
      const pair = stage.connected();
      pair[end].reads(Buffer.concat([stage.speech.name, Buffer.alloc(50_000)]));
      expect(stage.memory.bytes).toBe(50_000);
      stage.leave();
    }
  });

  it("counts the calls that wait for their replies", () => {
    const stage = new Stage("Z5", memory);
    const pair = stage.registered();
    for (let id = 10; id < 110; id++) pair.client.reads(stage.speech.call(id, "ping"));
    expect(stage.memory.bytes).toBeGreaterThan(100 * 40);
    for (let id = 10; id < 110; id++) pair.server.reads(stage.speech.reply(id, null));
    expect(stage.memory.bytes).toBe(0);
    stage.leave();
  });

  it.each(["draining", "orphan"] as const)(
    "lets all of one go that has no server or no client any more: %s",
    (life) => {
      const stage = new Stage("Z5", memory);
      const { speech } = stage;
      const [other, pair] = [stage.finishing(1), life === "orphan" ? stage.finishing(2) : stage.registered()];
      if (life === "draining") {
        pair.server.reads(speech.invalidation(2000), part(stage), part(stage));
        pair.server.ends();
        other.server.reads(speech.invalidation(2000, 5), part(stage, 60_000));
      } else {
        pair.client.closes();
        const large = speech.invalidation(2000, ...Array.from({ length: 30_000 }, (_, n) => n));
        pair.server.reads(large.subarray(0, 250_000));
      }
      expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
      expect(pair.server.commands.at(-1)).toBe("destroy");
      expect(pair.session.life).toBe(life === "orphan" ? "orphan" : "over");
      stage.leave();
    },
  );

  it("lets go of what one that is over is still to be sent", () => {
    const stage = new Stage("Z5", memory);
    const [pair, other] = [stage.registered(), stage.registered()];
    pair.client.sticks();
    pair.server.reads(Buffer.concat([part(stage), part(stage)]));
    pair.session.stop();
    expect([pair.session.life, pair.client.commands]).toEqual(["over", ["end", "resume"]]);
    other.client.sticks();
    other.server.reads(part(stage, 60_000));
    expect([stage.endings(pair), stage.endings(other)]).toEqual([["memory-exhausted by client"], []]);
    expect([pair.client.commands.at(-1), pair.server.commands.at(-1)]).toEqual(["destroy", "destroy"]);
    stage.leave();
  });

  it("lets go of what waits for a server whose client is ended", () => {
    const stage = new Stage("Z5", memory);
    const pair = stage.registered();
    pair.server.sticks();
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(210_000)));
    expect(stage.endings(pair)).toEqual(["memory-exhausted by client"]);
    expect([pair.client.commands.at(-1), pair.server.commands.at(-1)]).toEqual(["destroy", "destroy"]);
    stage.leave();
  });

  it("lets go of one all the same where ending it throws: both connections are destroyed", () => {
    const stage = new Stage("Z5", memory);
    const pair = stage.registered();
    vi.spyOn(stage.storage.ledger, "clientGone").mockImplementationOnce(() => {
      throw new RangeError("nobody has thought of this");
    });
    pair.server.sticks();
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(210_000)));
    expect([pair.client.commands.at(-1), pair.server.commands.at(-1)]).toEqual(["destroy", "destroy"]);
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
    const before = stage.memory.bytes;
    pair.client.reads(stage.speech.tell("storeBlobChunk", Buffer.alloc(1000)));
    expect(stage.memory.bytes - before).toBeGreaterThan(1000);
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

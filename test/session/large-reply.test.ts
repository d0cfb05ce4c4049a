import { describe, expect, it } from "vitest";
import { PyTuple } from "../../src/wire/value.ts";
import { eight, type Speech } from "./speech.ts";
import { Stage, type Pair } from "./stage.ts";

/** Whole buffers would be told byte by byte. */
function expectTaken({ client }: Pair, expected: Buffer): void {
  const taken = client.taken();
  expect([taken.length, taken.equals(expected)]).toEqual([expected.length, true]);
}

describe("a reply that is too large to be held", () => {
  const LARGE = 1_500_000;
  const load = (stage: Stage, id: number, serial: number): Buffer =>
    stage.speech.reply(id, new PyTuple([Buffer.alloc(LARGE, 1), eight(serial), null]));

  interface Scene {
    readonly stage: Stage;
    readonly speech: Speech;
    readonly pair: Pair;
    readonly other: Pair;
  }

  /** The pair's client has asked for it. */
  function asked(): Scene {
    const stage = new Stage();
    const [other, pair] = [stage.registered(), stage.registered()];
    pair.client.reads(stage.speech.call(5, "loadBefore", eight(1), eight(9000)));
    return { stage, speech: stage.speech, pair, other };
  }

  /** Behind that the other's `tpc_finish` was forwarded: */
  function finishing(): Scene {
    const scene = asked();
    scene.other.client.reads(scene.speech.creation(9, 1));
    return scene;
  }

  /** and answered: it is due to the pair's client. */
  function due(): Scene {
    const scene = finishing();
    scene.other.server.reads(scene.speech.reply(9, eight(2000)));
    return scene;
  }

  it("waits unread for the commits that were finishing when it came, then flows on", () => {
    const { stage, speech, pair, other } = finishing();
    const frame = load(stage, 5, 1000);
    pair.server.reads(frame.subarray(0, 60_000));
    expect(pair.server.commands).toEqual(["pause"]);
    expectTaken(pair, Buffer.alloc(0));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.server.commands).toEqual(["pause", "resume"]);
    expectTaken(pair, frame.subarray(0, 60_000));
    pair.server.reads(frame.subarray(60_000));
    expectTaken(pair, frame.subarray(60_000));
    expect(stage.memory.bytes).toBeLessThan(10_000);
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("that has waited is the server's, and so is the nonsense behind it", () => {
    const { stage, speech, pair, other } = finishing();
    const frame = load(stage, 5, 1000);
    pair.server.reads(Buffer.concat([frame, speech.nonsense]));
    expect(pair.server.commands).toEqual(["pause"]);
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.endings(pair)).toEqual([expect.stringMatching(/ by server$/)]);
    stage.leave();
  });

  it("does not wait for what is forwarded behind its first bytes", () => {
    const { stage, speech, pair, other } = due();
    const frame = load(stage, 5, 1000);
    pair.server.reads(frame.subarray(0, 60_000));
    other.client.reads(speech.creation(10, 2));
    pair.server.reads(frame.subarray(60_000));
    expectTaken(pair, frame);
    expect(pair.server.isPaused).toBe(false);
    stage.leave();
  });

  it("ends its client where its last bytes show what is still due to it, and they do not go out", () => {
    const { stage, pair } = due();
    const frame = load(stage, 5, 2000);
    pair.server.reads(frame);
    expectTaken(pair, frame.subarray(0, -128));
    expect(stage.endings(pair)).toEqual(["reply-too-early by server"]);
    stage.leave();
  });

  it("is told of what it proves before it: the call came behind the committer's reply", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.registered(), stage.registered()];
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.client.reads(speech.call(5, "loadBefore", eight(1), eight(9000)));
    const frame = load(stage, 5, 2000);
    pair.server.reads(frame);
    expect(stage.said(pair)[0]).toBe("T2000 [1]");
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("inside its own client's finish is read, and flows", () => {
    const { stage, speech, pair } = asked();
    pair.client.reads(speech.creation(9, 1));
    const frame = load(stage, 5, 2000);
    pair.server.reads(frame);
    expect(pair.server.commands).toEqual([]);
    expectTaken(pair, frame);
    pair.server.reads(speech.reply(9, eight(2000)));
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("is kept where what stands before it waits for what comes behind it", () => {
    const { stage, speech, pair } = due();
    pair.server.reads(speech.reply(99, eight(2000))); // shows T2000, whose message has not come
    const frame = load(stage, 5, 1000);
    pair.server.reads(frame);
    expectTaken(pair, Buffer.alloc(0));
    expect(stage.memory.bytes).toBeGreaterThan(LARGE);
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)[0]).toBe("T2000 [1]");
    stage.leave();
    expect(stage.memory.bytes).toBe(0);
  });

  it("that waits is let go with its client, and with its server", () => {
    for (const party of ["client", "server"] as const) {
      const { stage, pair, other } = finishing();
      pair.server.reads(load(stage, 5, 1000).subarray(0, 60_000));
      pair[party].closes();
      expect(stage.endings(pair)).toEqual([]);
      other.server.reads(stage.speech.reply(9, eight(2000)));
      stage.leave();
    }
  });

  it("that waits behind something else is forgotten when its server closes, and what stands before it goes out", () => {
    const { stage, speech, pair, other } = finishing();
    pair.server.reads(speech.invalidation(2000, 1), load(stage, 5, 1000).subarray(0, 60_000));
    expect(pair.server.isPaused).toBe(true);
    pair.server.closes();
    expect(pair.session.life).toBe("draining");
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("that waits is read when its client sends a tpc_finish", () => {
    const { stage, speech, pair, other } = finishing();
    const frame = load(stage, 5, 1000);
    pair.server.reads(frame.subarray(0, 60_000));
    expect(pair.server.isPaused).toBe(true);
    pair.client.reads(speech.creation(10, 2));
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(frame.subarray(60_000), speech.reply(10, eight(2001)));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("waits for no less when others' commits are over meanwhile", () => {
    const { stage, speech, pair, other } = asked();
    const third = stage.registered();
    other.client.reads(speech.creation(9, 1));
    pair.server.reads(load(stage, 5, 1000).subarray(0, 60_000));
    third.client.reads(speech.creation(9, 2));
    third.server.reads(speech.reply(9, eight(2001)));
    expect(pair.server.isPaused).toBe(true);
    expectTaken(pair, Buffer.alloc(0));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.server.isPaused).toBe(false);
    stage.leave();
  });

  it("is one of more than 1 MiB", () => {
    for (const [bytes, isLarge] of [
      [1024 * 1024, false],
      [1024 * 1024 + 1, true],
    ] as const) {
      for (const sort of ["reply", "message"]) {
        const { stage, speech, pair } = finishing();
        const make = (size: number): Buffer =>
          sort === "reply"
            ? speech.reply(5, new PyTuple([Buffer.alloc(size), eight(1000), null]))
            : speech.tell("receiveBlobChunk", Buffer.alloc(size));
        if (sort === "message") pair.server.reads(speech.invalidation(2000));
        const around = make(100_000).length - 4 - 100_000;
        pair.server.reads(make(bytes - around).subarray(0, 60_000));
        expect(pair.server.isPaused, `${sort} of ${bytes} bytes`).toBe(isLarge);
        stage.leave();
      }
    }
  });

  it.each(["undoInfo", "a call that nobody knows"])("is kept where it may show anything anywhere: of %s", (call) => {
    const { stage, speech, pair, other } = asked();
    const id = call === "undoInfo" ? 6 : 99;
    if (call === "undoInfo") pair.client.reads(speech.call(id, call, 0, 20));
    other.client.reads(speech.creation(9, 1));
    const frame = load(stage, id, 2000);
    pair.server.reads(frame.subarray(0, 500_000));
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(frame.subarray(500_000));
    expectTaken(pair, Buffer.alloc(0));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(["T2000 [1]", `reply ${id}`]);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });

  it("flows on to its end where it shows nothing, whatever stands there", () => {
    const { stage, speech, pair, other } = asked();
    pair.client.reads(speech.call(6, "getExtensionMethods"));
    other.client.reads(speech.creation(9, 1));
    other.server.reads(speech.reply(9, eight(2000))); // due to the pair's client
    const frame = load(stage, 6, 2000);
    pair.server.reads(frame.subarray(0, 500_000), frame.subarray(500_000));
    expectTaken(pair, frame);
    expect(stage.endings(pair)).toEqual([]);
    stage.leave();
  });
});

describe("a message that is too large to be held", () => {
  const chunk = (stage: Stage): Buffer => stage.speech.tell("receiveBlobChunk", Buffer.alloc(1_500_000, 1));

  it("waits unread for the commits that what stands before it waits for", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), stage.registered()];
    const frame = chunk(stage);
    pair.server.reads(Buffer.concat([speech.invalidation(2000), frame.subarray(0, 60_000)]));
    expect(pair.server.isPaused).toBe(true);
    expectTaken(pair, Buffer.alloc(0));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.server.isPaused).toBe(false);
    pair.server.reads(frame.subarray(60_000));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "receiveBlobChunk"]);
    expect(stage.memory.bytes).toBe(0);
    stage.leave();
  });

  it("is kept where what stands before it waits for what comes behind it", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), stage.registered()];
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(speech.reply(99, eight(2000))); // shows T2000, whose message has not come
    const frame = chunk(stage);
    pair.server.reads(frame.subarray(0, 60_000), frame.subarray(60_000));
    expectTaken(pair, Buffer.alloc(0));
    pair.server.reads(speech.invalidation(2000));
    expect(stage.said(pair)).toEqual(["T2000 [1]", "reply 99", "receiveBlobChunk"]);
    stage.leave();
  });
});

import { describe, expect, it, vi } from "vitest";
import type { SessionEnd } from "../../src/happening/ends.ts";
import { ProtocolError } from "../../src/wire/errors.ts";
import { pickleCodec } from "../../src/wire/pickle-codec.ts";
import { PyTuple } from "../../src/wire/value.ts";
import { frameOf } from "../proxy/peer.ts";
import { payloads } from "./played-connection.ts";
import { eight, tidOf, type Speech } from "./speech.ts";
import { forget, Stage, type Pair } from "./stage.ts";

/** Somebody else's creation settles, of which an old server will say nothing: it must be asked for. */
function silentCommit(stage: Stage, other: Pair, tid = 2000): void {
  other.client.reads(stage.speech.creation(9, 1));
  other.server.reads(stage.speech.reply(9, eight(tid)));
}

/** What is told of the first session that the proxy itself has ended. */
function endOf({ happenings }: Stage): SessionEnd | undefined {
  return happenings.flatMap((one) => (one.what === "ended" ? [one.end] : []))[0];
}

const isQuestion = (payload: Buffer): boolean => Number(pickleCodec.peek(payload)?.id) < -1;

/** The id of the question that has left for the server. */
function questionId(stage: Stage, { server }: Pair): number {
  const asked = server.frames().filter((payload) => stage.speech.said(payload) === "lastTransaction");
  expect(asked).toHaveLength(1);
  return Number(stage.speech.envelope(asked[0] as Buffer).id);
}

describe("the proxy's question", () => {
  /** Frames that pass, that pass in parts, and that are held. */
  const said = (speech: Speech): Buffer[] => [
    speech.call(20, "loadEx", eight(1)),
    speech.begin(8),
    speech.store(8, 5, 900),
    speech.tell("storeBlobChunk", Buffer.alloc(300, 1)),
    speech.call(21, "lastTransaction"),
  ];

  it("is never written into the middle of a client's frame, wherever that has been cut", () => {
    const { speech } = new Stage("Z4");
    const frames = said(speech);
    const bytes = Buffer.concat(frames);
    for (let at = 1; at < bytes.length; at++) {
      const stage = new Stage("Z4");
      const [other, pair] = [stage.registered(), stage.registered()];
      pair.client.reads(bytes.subarray(0, at));
      silentCommit(stage, other);
      pair.client.reads(bytes.subarray(at));
      const written = pair.server.frames();
      expect(written.filter(isQuestion), `cut at ${at}`).toHaveLength(1);
      const others = written.filter((payload) => !isQuestion(payload));
      expect(Buffer.concat(others.map(frameOf)).equals(bytes), `cut at ${at}`).toBe(true);
    }
  });

  it("is written at once between two frames, and counted", () => {
    const stage = new Stage("Z4");
    const [other, pair] = [stage.registered(), stage.registered()];
    silentCommit(stage, other);
    const [question, ...more] = pair.server.frames();
    expect(more).toEqual([]);
    expect(question && stage.speech.said(question)).toBe("lastTransaction");
    expect(question && pickleCodec.args(question, stage.speech.envelope(question))).toEqual(new PyTuple([]));
    expect(stage.happenings.filter(({ what }) => what === "asked")).toHaveLength(1);
    stage.leave();
  });

  it("has other ids in each session", () => {
    const stage = new Stage("Z4");
    const [other, one, another] = [stage.registered(), stage.registered(), stage.registered()];
    silentCommit(stage, other);
    expect(questionId(stage, one)).not.toBe(questionId(stage, another));
    stage.leave();
  });

  it("is answered to nobody, and brings what was due", () => {
    const stage = new Stage("Z4");
    const [other, pair] = [stage.registered(), stage.registered()];
    silentCommit(stage, other);
    pair.server.reads(stage.speech.reply(questionId(stage, pair), eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [1]"]);
    stage.leave();
  });

  it("is told from another proxy's, whose reply passes, whichever comes first", () => {
    for (const isOthersFirst of [true, false]) {
      const stage = new Stage("Z4");
      const { speech } = stage;
      const [other, pair] = [stage.registered(), stage.registered()];
      const ask = (): void => pair.client.reads(speech.call(-(2 ** 30) - 5, "lastTransaction"));
      if (isOthersFirst) ask();
      silentCommit(stage, other);
      if (!isOthersFirst) ask();
      const ids = pair.server.frames().map((payload) => Number(speech.envelope(payload).id));
      expect(ids).toHaveLength(2);
      for (const id of ids) pair.server.reads(speech.reply(id, eight(2000)));
      expect(stage.said(pair)).toEqual(["T2000 [1]", `reply ${-(2 ** 30) - 5}`]);
      stage.leave();
    }
  });

  it("that is not answered with a tid ends the session behind what was written", () => {
    const stage = new Stage("Z4");
    const [other, pair] = [stage.registered(), stage.registered()];
    silentCommit(stage, other);
    pair.server.reads(stage.speech.reply(questionId(stage, pair), null));
    expect(stage.endings(pair)).toEqual(["question-refused by server"]);
    expect(endOf(stage)).toMatchObject({ detail: "no tid", expected: "the last transaction's" });
    expect(pair.client.commands).toEqual(["end", "resume"]);
    expect(stage.endings(other)).toEqual([]);
    stage.leave();
  });

  it("goes to a new server when its message has been due for a second, in its own encoding", () => {
    for (const protocol of ["Z5", "M5"]) {
      const stage = new Stage(protocol);
      const { speech } = stage;
      const [other, pair] = [stage.registered(), stage.registered()];
      silentCommit(stage, other);
      forget(pair);
      stage.clock.move(999);
      expect(pair.server.taken()).toHaveLength(0);
      stage.clock.move(500);
      pair.server.reads(speech.reply(questionId(stage, pair), eight(2000)));
      expect(stage.said(pair)).toEqual(["T2000 [1]"]);
      stage.leave();
    }
  });

  it("that is refused ends nobody whose client has gone: its commit is still followed", () => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const [other, pair] = [stage.registered(), stage.registered()];
    silentCommit(stage, other);
    const question = questionId(stage, pair);
    pair.client.reads(speech.creation(8, 2));
    pair.client.closes();
    pair.server.reads(speech.raises(question, "ZODB.POSException.StorageError"));
    expect(stage.endings(pair)).toEqual([]);
    expect(pair.session.life).toBe("orphan");
    pair.server.reads(speech.reply(8, eight(3000)));
    expect(pair.session.life).toBe("over");
    stage.leave();
  });

  it("that waits for the end of a client's frame is forgotten with its session", () => {
    const stage = new Stage("Z4");
    const { speech } = stage;
    const [other, pair] = [stage.registered(), stage.registered()];
    const large = speech.tell("storeBlobChunk", Buffer.alloc(3000, 1));
    pair.client.reads(large.subarray(0, 2000));
    silentCommit(stage, other);
    pair.client.ends();
    expect(stage.endings(pair)).toEqual(["truncated-frame by client"]);
    expect(pair.server.taken().equals(large.subarray(0, 2000))).toBe(true);
    expect(stage.happenings.filter(({ what }) => what === "asked")).toEqual([]);
    stage.leave();
  });
});

describe("a server of which nobody can tell how it writes", () => {
  /** Protocol 1 with names as text, which no server writes. */
  const strange = (frame: Buffer): Buffer => frameOf(frame.subarray(6));

  /** A client that has registered with it, and was told nothing else that is held. */
  function registered(stage: Stage): Pair {
    const pair = stage.registering();
    const reply = strange(stage.speech.welcome(1, 1000));
    pair.server.reads(reply);
    expect(pair.client.taken()).toEqual(reply);
    return pair;
  }

  it("can't be imitated: a client that is to be told something ends, so that it verifies", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), registered(stage)];
    pair.server.reads(strange(speech.invalidation(2000, 5)));
    other.server.reads(speech.reply(9, eight(2000)));
    expect(pair.client.taken()).toHaveLength(0);
    expect(stage.endings(pair)).toEqual(["unknown-dialect by server"]);
    expect(endOf(stage)).toHaveProperty("detail", "00000000000007d0");
    expect(pair.client.commands).toEqual(["end", "resume"]);
    expect(pair.session.life).toBe("over");
    expect(stage.endings(other)).toEqual([]);
    stage.leave();
  });

  it("so does one that commits itself, once: what was written before goes out, and its commit is followed", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [one, other, pair] = [stage.finishing(1), stage.finishing(2), registered(stage)];
    pair.client.reads(speech.call(20, "getInvalidations", eight(1000)));
    // All of them are to be completed, and can go out only together.
    const said = [speech.invalidation(2000, 5), speech.invalidation(2001, 5), speech.missed(20, 2001)];
    pair.server.reads(...said.map(strange));
    pair.client.reads(speech.creation(8, 3));
    one.server.reads(speech.reply(9, eight(2001)));
    expect(stage.endings(pair)).toEqual([]);
    other.server.reads(speech.reply(9, eight(2000)));
    expect(stage.endings(pair)).toEqual(["unknown-dialect by server"]);
    expect(pair.client.commands).toEqual(["end", "resume"]);
    expect(pair.client.taken()).toHaveLength(0);
    expect(pair.session.life).toBe("orphan");
    pair.server.reads(strange(speech.reply(8, eight(2002))));
    expect(pair.session.life).toBe("over");
    stage.leave();
  });

  it("so does one whose getInvalidations reply is to be repaired", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), registered(stage)];
    pair.client.reads(speech.call(20, "getInvalidations", eight(1000)));
    pair.server.reads(strange(speech.missed(20, 2000)));
    other.server.reads(speech.reply(9, eight(2000)));
    pair.server.reads(strange(speech.invalidation(2000, 1)));
    expect(stage.endings(pair)).toEqual(["unknown-dialect by server"]);
    expect(endOf(stage)).toHaveProperty("detail", "00000000000007d0");
    stage.leave();
  });

  it("so does one whose getInvalidations reply is to say that nobody knows", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = registered(stage);
    pair.client.reads(speech.call(20, "getInvalidations", eight(10)));
    pair.server.reads(strange(speech.missed(20, 1000)));
    expect(stage.endings(pair)).toEqual(["unknown-dialect by server"]);
    expect(endOf(stage)).not.toHaveProperty("detail");
    stage.leave();
  });

  it("passes where nothing has to be changed, and is known once it has shown itself", () => {
    const stage = new Stage();
    const { speech } = stage;
    const [other, pair] = [stage.finishing(1), registered(stage)];
    const complete = strange(speech.invalidation(1500, 5));
    pair.server.reads(complete);
    other.server.reads(speech.raises(9, "ZODB.POSException.StorageError"));
    expect(pair.client.taken()).toEqual(complete);
    pair.server.reads(speech.invalidation(1600, 5));
    forget(pair);
    other.client.reads(speech.creation(10, 2));
    pair.server.reads(strange(speech.invalidation(2000, 5)));
    other.server.reads(speech.reply(10, eight(2000)));
    expect(stage.said(pair)).toEqual(["T2000 [5 2]"]);
    stage.leave();
  });
});

describe("the guard", () => {
  it("ends a session that is told something before the reply to its register, whatever it was told else", () => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = stage.registering();
    pair.client.reads(speech.call(2, "lastTransaction"));
    pair.server.reads(speech.reply(2, eight(1000)));
    forget(pair);
    // What only a mistake of the ledger's would do.
    const announcement = { tid: tidOf(2000), oids: eight(1) };
    vi.spyOn(stage.storage.ledger, "take").mockReturnValueOnce([
      { do: "announce", session: 1, repair: "synthesized", announcement, payload: undefined },
    ]);
    stage.storage.run(1);
    expect(pair.client.taken()).toHaveLength(0);
    expect(stage.endings(pair)).toEqual(["guard-before-register by proxy"]);
    stage.leave();
  });

  it.each([
    ["guard-not-growing", 3500, 3200, "synthesized"],
    ["guard-not-growing", 3500, 3200, "completed"],
    ["guard-own-commit", undefined, 3000, "synthesized"],
    ["guard-not-growing", 3500, 3200, "late"],
  ] as const)("ends a session for %s, and nothing wrong is written", (code, before, wrong, repair) => {
    const stage = new Stage();
    const { speech } = stage;
    const pair = stage.finishing(1);
    pair.server.reads(speech.reply(9, eight(3000)));
    if (before !== undefined) pair.server.reads(speech.invalidation(before, 5));
    forget(pair);
    // What only a mistake of the ledger's would do.
    const announcement = { tid: tidOf(wrong), oids: eight(1) };
    vi.spyOn(stage.storage.ledger, "take").mockReturnValueOnce([
      { do: "announce", session: 1, repair, announcement, payload: undefined },
    ]);
    stage.storage.run(1);
    expect(pair.client.taken()).toHaveLength(0);
    expect(stage.endings(pair)).toEqual([`${code} by proxy`]);
    expect(stage.happenings.filter(({ what }) => what === "announced")).toEqual([]);
    expect(pair.client.commands).toEqual(["end", "resume"]);
    stage.leave();
  });
});

it("the guard lets through what is told again, under the tid that the client was told of last", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = stage.registered();
  pair.client.reads(speech.call(30, "get_info"));
  pair.server.reads(speech.reply(30, new Map()), speech.invalidation(2000, 5), speech.invalidation(1500, 6));
  expect(stage.said(pair)).toEqual(["reply 30", "T2000 [5]", "T2000 [6]"]);
  expect(stage.happenings).toContainEqual(expect.objectContaining({ what: "told-late", tid: tidOf(1500) }));
  expect(stage.happenings).toContainEqual({ what: "announced", repair: "late" });
  stage.leave();
});

it("what comes late waits for the client's first call behind register", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = stage.registered();
  pair.server.reads(speech.invalidation(2000, 5), speech.invalidation(1500, 6));
  expect(stage.said(pair)).toEqual(["T2000 [5]"]);
  pair.client.reads(speech.call(30, "get_info"));
  pair.server.reads(speech.reply(30, new Map()));
  expect(stage.said(pair)).toEqual(["reply 30", "T2000 [6]"]);
  stage.leave();
});

it("the guard ends an old client's session for an invalidation inside its finish", () => {
  const stage = new Stage("Z4");
  const pair = stage.finishing(1);
  forget(pair);
  // What only a mistake of the ledger's would do.
  const announcement = { tid: tidOf(3000), oids: eight(1) };
  vi.spyOn(stage.storage.ledger, "take").mockReturnValueOnce([
    { do: "announce", session: 1, repair: "synthesized", announcement, payload: undefined },
  ]);
  stage.storage.run(1);
  expect(pair.client.taken()).toHaveLength(0);
  expect(stage.endings(pair)).toEqual(["guard-inside-finish by proxy"]);
});

it.each([
  ["as the server has written it", false],
  ["with what it lacks", true],
])("an old client's session is ended for the server's own invalidation inside its finish, %s", (_, isCompleted) => {
  const stage = new Stage("Z4");
  const { speech } = stage;
  const pair = stage.finishing(1);
  if (isCompleted) {
    const other = stage.registered();
    other.client.reads(speech.creation(9, 2));
    other.server.reads(speech.reply(9, eight(1500)));
  }
  forget(pair);
  pair.server.reads(speech.invalidation(1500, 5));
  expect(pair.client.taken()).toHaveLength(0);
  expect(stage.endings(pair)).toEqual([]);
  pair.server.reads(speech.reply(9, eight(2000)));
  expect(stage.endings(pair)).toEqual(["invalidation-inside-finish by server"]);
  stage.leave();
});

it("the guard lets an invalidation through inside a new client's finish", () => {
  const stage = new Stage();
  const { speech } = stage;
  const [other, pair] = [stage.finishing(1), stage.registered()];
  other.server.reads(speech.reply(9, eight(2000)));
  pair.client.reads(speech.creation(9, 2));
  pair.server.reads(speech.invalidation(2000));
  expect(stage.said(pair)).toEqual(["T2000 [1]"]);
  pair.server.reads(speech.reply(9, eight(2001)));
  expect(stage.said(pair)).toEqual(["reply 9"]);
  stage.leave();
});

it("what can't be written ends that session at once, as whoever said it is to blame for", () => {
  const stage = new Stage();
  const { speech } = stage;
  const [other, pair] = [stage.finishing(1), stage.registered()];
  pair.server.reads(speech.invalidation(2000, 5));
  vi.spyOn(pickleCodec, "encodeInvalidation").mockImplementationOnce(() => {
    throw new ProtocolError("bad-pickle", 0, "what can be written", "something else");
  });
  other.server.reads(speech.reply(9, eight(2000)));
  expect(stage.endings(pair)).toEqual(["bad-pickle by server"]);
  expect(pair.client.commands).toEqual(["destroy"]);
  expect(stage.endings(other)).toEqual([]);
  stage.leave();
});

it("an end that the ledger decides names the tid that it is about", () => {
  const stage = new Stage();
  const { speech } = stage;
  const [other, pair] = [stage.registered(), stage.registered()];
  // The server's clock goes back.
  for (const tid of [2000, 500]) {
    pair.client.reads(speech.begin(9), speech.store(9, 1), speech.finish(9));
    pair.server.reads(speech.reply(9, eight(tid)));
  }
  expect(stage.endings(other)).toEqual(["copied-history by client"]);
  expect(endOf(stage)).toHaveProperty("detail", "00000000000001f4");
  stage.leave();
});

it("is told of a server that answers None itself to a getInvalidations, with where its client wanted to go on", () => {
  const stage = new Stage();
  const { speech } = stage;
  const pair = stage.registered();
  pair.client.reads(speech.call(20, "getInvalidations", eight(600)), speech.call(21, "getInvalidations", eight(500)));
  pair.server.reads(speech.missed(20, 1000, 5), speech.reply(21, null));
  expect(stage.happenings.filter(({ what }) => what === "not-resumed")).toEqual([
    { what: "not-resumed", from: 500n, upstream: "main", storage: "1", client: pair.client.peer },
  ]);
  stage.leave();
});

it("an old server's shape with versions is kept: pairs", () => {
  const stage = new Stage("Z308");
  const { speech } = stage;
  const [other, pair] = [stage.finishing(1), stage.registered()];
  pair.server.reads(speech.invalidation(2000, 5));
  other.server.reads(speech.reply(9, eight(2000)));
  const [told] = payloads(pair.client.taken());
  const args = told && speech.codec.args(told, speech.envelope(told));
  expect(args).toEqual(new PyTuple([eight(2000), [new PyTuple([eight(5), ""]), new PyTuple([eight(1), ""])]]));
  stage.leave();
});

it("what is due to a client that leaves is due to nobody: the commit counts as repaired at once", () => {
  const stage = new Stage();
  const [other, pair, leaving] = [stage.finishing(), stage.registered(), stage.registered()];
  other.server.reads(stage.speech.reply(9, eight(2000)));
  pair.server.reads(stage.speech.invalidation(2000));
  const repaired = (): unknown[] => stage.happenings.filter(({ what }) => what === "repaired");
  expect(repaired()).toEqual([]);
  leaving.client.closes();
  expect(repaired()).toMatchObject([{ settled: { tid: 2000n, completed: 1 } }]);
  stage.leave();
});

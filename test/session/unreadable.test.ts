import { describe, expect, it } from "vitest";
import { METHODS, type Method } from "../../src/wire/methods.ts";
import { frameOf } from "../proxy/peer.ts";
import { messageOf, unreadable } from "../wire/hostile.ts";
import { eight } from "./speech.ts";
import { forget, Stage } from "./stage.ts";

// Which rule needs a message that nobody can read? Only where one can't do without it a session ends for it. While
// something is on its way, since else a reply passes unread.

const PROTOCOLS = ["Z4", "Z5", "M5"];

/** Methods that a client can call beside `register`, and one that nobody knows. */
const CALLED = METHODS.filter(({ sort, name }) => sort !== "register" && name !== "").map(({ name }) => name);
const NAMES = [...CALLED, "frobnicate"];

/** What becomes of a reply that can't be read. */
function fate(method: string): "ended" | "passed" {
  // Whether it is committed, and as what, is what everyone waits for.
  return method === "tpc_finish" ? "ended" : "passed";
}

/** What is told of a reply to that call that can't be read, and that nobody can do without. */
function endOf(method: string): object {
  const expected = `a tid, None or an exception as the reply to ${method}`;
  return { what: "ended", end: expect.objectContaining({ expected, detail: "another value" }) };
}

const isOneWay = ({ sort }: Method): boolean => sort === "begin" || sort === "store" || sort === "restore";

describe.each(PROTOCOLS)("a reply that nobody can read, %s", (protocol) => {
  const bodies = Object.entries(unreadable(new Stage(protocol).speech.codec));

  it.each(NAMES)("to %s", (name) => {
    for (const flags of protocol === "Z4" ? [0] : [0, 2]) {
      for (const [what, body] of bodies) {
        const stage = new Stage(protocol);
        const { speech } = stage;
        const [other, pair] = [stage.finishing(), stage.registered()];
        const method = METHODS.find((one) => one.name === name);
        const id = 40;
        const args = name === "tpc_finish" || name === "vote" ? [40] : [eight(1), eight(2), Buffer.from("x"), 40];
        if (method !== undefined && isOneWay(method)) pair.client.reads(speech.begin(40));
        if (name === "getInvalidations") pair.client.reads(speech.call(id, name, eight(1000)));
        else pair.client.reads(speech.call(id, name, ...args));
        const reply = frameOf(messageOf(speech.codec, id, flags, ".reply", body));
        pair.server.reads(reply);
        const where = `${what}, flags ${flags}`;
        // What is flagged as an exception, or begins as one, is one, whatever is in it.
        const isException = flags === 2 || (protocol !== "M5" && what.startsWith("an exception"));
        if (fate(name) === "ended" && !isException) {
          expect(stage.endings(pair), where).toEqual([`bad-${speech.codec.encoding} by server`]);
          expect(stage.happenings, where).toContainEqual(expect.objectContaining(endOf(name)));
        } else {
          expect(stage.endings(pair), where).toEqual([]);
          other.server.reads(speech.reply(9, eight(2000)));
          pair.server.reads(speech.invalidation(2000));
          expect(stage.endings(pair), where).toEqual([]);
          const sent = pair.client.frames();
          const own = sent.find((payload) => speech.envelope(payload).id === id);
          const told = sent.map((payload) => speech.said(payload)).filter((said) => said.startsWith("T"));
          expect(told, where).toEqual(["T2000 [1]"]);
          // From None a client can go on; from what it can read and the proxy can't, it might not.
          const none = frameOf(speech.codec.encode(speech.dialect, id, 0, ".reply", null)).subarray(4);
          const isNone = name === "getInvalidations" && !isException;
          expect(own?.equals(isNone ? none : reply.subarray(4)), where).toBe(true);
        }
        stage.leave();
      }
    }
  });

  it("to register ends the session of a new server, and no other", () => {
    for (const [what, body] of bodies) {
      const stage = new Stage(protocol);
      const pair = stage.registering();
      pair.server.reads(frameOf(messageOf(stage.speech.codec, 1, 0, ".reply", body)));
      const ends =
        protocol === "Z4" || what.startsWith("an exception") ? [] : [`bad-${stage.speech.codec.encoding} by server`];
      expect(stage.endings(pair), what).toEqual(ends);
      if (ends.length > 0) expect(stage.happenings, what).toContainEqual(expect.objectContaining(endOf("register")));
      stage.leave();
    }
  });

  it("to the proxy's own question ends the session, which verifies", () => {
    const [what, body] = bodies[0] as (typeof bodies)[number];
    const stage = new Stage(protocol);
    const [other, pair] = [stage.finishing(), stage.registered()];
    forget(pair);
    other.server.reads(stage.speech.reply(9, eight(2000)));
    stage.clock.move(2_000);
    const asked = pair.server.frames();
    expect(asked.map((payload) => stage.speech.said(payload))).toEqual(["lastTransaction"]);
    const id = Number(stage.speech.envelope(asked[0] ?? Buffer.alloc(0)).id);
    pair.server.reads(frameOf(messageOf(stage.speech.codec, id, 0, ".reply", body)));
    expect(stage.endings(pair), what).toEqual(["question-refused by server"]);
    stage.leave();
  });
});

describe.each(PROTOCOLS)("a message of the server's that nobody can read, %s", (protocol) => {
  const bodies = Object.entries(unreadable(new Stage(protocol).speech.codec));

  it.each(["info", "receiveBlobChunk", "serialnos", "frobnicate"])("%s passes", (name) => {
    for (const [what, body] of bodies) {
      const stage = new Stage(protocol);
      const [other, pair] = [stage.finishing(), stage.registered()];
      const message = frameOf(messageOf(stage.speech.codec, 0, 1, name, body));
      pair.server.reads(message);
      other.server.reads(stage.speech.reply(9, eight(2000)));
      pair.server.reads(stage.speech.invalidation(2000));
      expect(stage.endings(pair), what).toEqual([]);
      expect(
        pair.client.frames().some((payload) => payload.equals(message.subarray(4))),
        what,
      ).toBe(true);
      stage.leave();
    }
  });

  it("invalidateTransaction ends the session: nobody knows what it tells", () => {
    for (const [what, body] of bodies) {
      const stage = new Stage(protocol);
      const pair = stage.registered();
      pair.server.reads(frameOf(messageOf(stage.speech.codec, 0, 1, "invalidateTransaction", body)));
      expect(stage.endings(pair), what).toEqual([`bad-${stage.speech.codec.encoding} by server`]);
      stage.leave();
    }
  });
});

describe.each(PROTOCOLS)("a call that nobody can read, %s", (protocol) => {
  const bodies = Object.entries(unreadable(new Stage(protocol).speech.codec));
  /** What the ledger must read of it. */
  const FIRST = new Set(["vote", "tpc_finish", "tpc_abort"]);
  const NEEDED = new Set(["tpc_begin", "undoa", "vote", "tpc_finish", "tpc_abort", "getInvalidations"]);

  it.each(
    NAMES.filter((name) => !["storea", "storeBlobEnd", "storeBlobShared", "restorea", "deleteObject"].includes(name)),
  )("%s", (name) => {
    for (const [what, body] of bodies) {
      // An array in msgpack is what arguments are, and its first item is all that is read of most.
      if (protocol === "M5" && what === "200,000 numbers" && FIRST.has(name)) continue;
      const stage = new Stage(protocol);
      const pair = stage.registered();
      const call = frameOf(messageOf(stage.speech.codec, 50, 0, name, body));
      pair.client.reads(call);
      if (NEEDED.has(name)) {
        expect(stage.endings(pair), what).toEqual([`bad-${stage.speech.codec.encoding} by client`]);
      } else {
        expect(stage.endings(pair), what).toEqual([]);
        expect(pair.server.taken().equals(call), what).toBe(true);
      }
      stage.leave();
    }
  });
});

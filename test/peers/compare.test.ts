import { describe, expect, test } from "vitest";
import { compare } from "./compare.ts";
import type { Comparison } from "./compare.ts";
import { Recorder } from "./relay.ts";

function recorder(frames: readonly string[]): Recorder {
  const made = new Recorder();
  for (const frame of frames) {
    const body = Buffer.from(frame, "latin1");
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    // A length and its frame needn't come together.
    made.add(length.subarray(0, 1));
    made.add(Buffer.concat([length.subarray(1), body]));
  }
  return made;
}

const inv = (n: number, oids = ""): string =>
  `(K\0IinvalidateTransactionU\b\x04\r<\0\0\0\0${String.fromCharCode(n)}${oids}`;
const question = "(K\xffK\0U\x0flastTransactiontt.";

function compared(written: string[], arrived: string[], asked: string[] = []): Comparison {
  const into: Comparison = { same: 0, changed: [], moved: 0, madeUp: 0, madeUpAtTheEnd: 0, questions: 0, problems: [] };
  const calls = ["Z4", "call 1", "call 2"];
  compare(
    { fromClient: recorder(calls), fromServer: recorder(arrived) },
    { fromClient: recorder([...calls, ...asked]), fromServer: recorder(written) },
    into,
  );
  return into;
}

describe("compare", () => {
  test("finds equal streams the same", () => {
    const frames = ["Z4", ".reply 1", inv(1), ".reply 2"];
    expect(compared(frames, frames)).toMatchObject({ same: 4, changed: [], moved: 0, madeUp: 0, problems: [] });
  });

  test("counts a completed invalidation", () => {
    const { same, changed, problems } = compared(["Z4", inv(1)], ["Z4", inv(1, "more")]);
    expect([same, changed.length, problems]).toEqual([1, 1, []]);
  });

  test("counts a getInvalidations reply with more oids, and no other reply that differs", () => {
    const id = (n: number): string => `U\b\0\0\0\0\0\0\0${String.fromCharCode(n)}`;
    const reply = (...ids: number[]): string => `(K\x07K\0U\x06.reply(${id(1)}](${ids.map(id).join("")}ett.`;
    expect(compared(["Z4", reply(2)], ["Z4", reply(2, 3)])).toMatchObject({ same: 1, problems: [] });
    expect(compared(["Z4", reply(2)], ["Z4", reply(2, 3)]).changed).toHaveLength(1);
    const load = (data: string): string => `(K\x07K\0U\x06.reply(T\0\x01\0\0${data.repeat(256)}${id(1)}tt.`;
    const { changed, problems } = compared(["Z4", load("x")], ["Z4", load("y")]);
    expect([changed.length, problems.length]).toEqual([0, 1]);
  });

  test("counts one that was made up", () => {
    expect(compared(["Z4", ".reply"], ["Z4", inv(1), ".reply"])).toMatchObject({ same: 2, madeUp: 1, problems: [] });
  });

  test("allows one to go ahead of a reply, but not behind", () => {
    expect(compared(["Z4", ".reply", inv(1)], ["Z4", inv(1), ".reply"])).toMatchObject({ moved: 1, problems: [] });
    expect(compared(["Z4", inv(1), ".reply"], ["Z4", ".reply", inv(1)]).problems).toHaveLength(1);
  });

  test("takes out a question of the proxy's own and its answer", () => {
    const result = compared(["Z4", ".reply 1", ".reply q", ".reply 2"], ["Z4", ".reply 1", ".reply 2"], [question]);
    expect(result).toMatchObject({ same: 3, questions: 1, problems: [] });
  });

  test("sees a changed, a lost and an added frame", () => {
    expect(compared(["Z4", ".reply 1"], ["Z4", ".reply 2"]).problems).toHaveLength(1);
    expect(compared(["Z4", ".reply 1", "info"], ["Z4", "info"]).problems).toHaveLength(1);
    expect(compared(["Z4"], ["Z4", ".reply 1"]).problems).toHaveLength(1);
  });

  test("sees a call that the client did not write", () => {
    expect(compared(["Z4"], ["Z4"], ["(K\x01K\0U\x04packtt."]).problems).toHaveLength(1);
  });
});

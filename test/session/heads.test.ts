import { describe, expect, it } from "vitest";
import { isAnswered, mustBeAnswered, tooShort } from "../../src/session/heads.ts";

describe("a head that does not tell what the message is", () => {
  it.each([
    ["when the frame has more", 10, 11],
    ["however long the frame is", 1023, 1_000_000],
  ])("waits for more %s", (_, there, length) => {
    expect(tooShort(Buffer.alloc(there), length)).toBe("more");
  });

  it.each([
    ["when that is the whole frame", 10, 10],
    ["when it could not be longer", 1024, 1025],
  ])("is no message %s", (_, there, length) => {
    expect(() => tooShort(Buffer.alloc(there), length)).toThrow(
      `bad-message at offset ${there}: expected a message id, flags and a method name, got their beginning only`,
    );
  });
});

describe("a call", () => {
  const envelope = (flags: number) => ({ id: 1, flags, method: "vote", argsAt: 0 });

  it("that is one-way is refused where only its reply tells what has become of it", () => {
    expect([isAnswered(envelope(0)), isAnswered(envelope(1))]).toEqual([true, false]);
    mustBeAnswered(envelope(0));
    expect(() => mustBeAnswered(envelope(1))).toThrow(
      "one-way-call at offset 0: expected vote as a call that is answered, got a one-way message",
    );
  });
});

import { describe, expect, it } from "vitest";
import { protocolNamed } from "../../src/wire/handshake.ts";
import { answerTo } from "../../src/witness/answer.ts";

describe("a server's greeting", () => {
  it.each([
    ["Z309", "Z309"],
    ["Z310", "Z310"],
    ["Z3101", "Z3101"],
    ["Z4", "Z4"],
    ["Z5", "Z5"],
    ["M5", "Z5"],
    ["Z303", undefined],
    ["Z308", undefined],
  ])("%s is answered %s", (name, answer) => {
    const newest = protocolNamed(Buffer.from(name));
    expect(newest && answerTo(newest)?.name).toBe(answer);
  });
});

import { describe, expect, it } from "vitest";
import { framed } from "../../src/wire/frame.ts";
import { Greeting } from "../../src/witness/greeting.ts";

const frame = (name: string): Buffer => framed(Buffer.from(name));

describe("a greeting", () => {
  it.each([
    ["Z309", "Z309"],
    ["Z310", "Z310"],
    ["Z3101", "Z3101"],
    ["Z4", "Z4"],
    ["Z5", "Z5"],
    ["M5", "Z5"],
  ])("%s is answered %s, when it is whole", (name, answer) => {
    const greeting = new Greeting();
    const bytes = frame(name);
    for (const byte of bytes.subarray(0, -1)) expect(greeting.push(Buffer.from([byte]))).toEqual({ kind: "more" });
    const greeted = greeting.push(Buffer.concat([bytes.subarray(-1), Buffer.from("rest")]));
    expect(greeted).toMatchObject({ kind: "greeted", answer: { name: answer }, rest: Buffer.from("rest") });
  });

  it.each([
    ["Z303, without iteration", frame("Z303")],
    ["Z308, too", frame("Z308")],
    ["a newer one", frame("Z6")],
    ["nothing", frame("")],
    ["something long", frame("a".repeat(17))],
    ["another protocol's", Buffer.from("HTTP/1.1 400 Bad Request")],
  ])("is unknown: %s", (_name, bytes) => {
    expect(new Greeting().push(bytes)).toEqual({ kind: "unknown" });
  });

  it("keeps nothing of what it is given", () => {
    const greeting = new Greeting();
    const bytes = frame("Z5");
    const first = Buffer.from(bytes.subarray(0, 5));
    greeting.push(first);
    first.fill(0xee);
    expect(greeting.push(bytes.subarray(5)).kind).toBe("greeted");
  });
});

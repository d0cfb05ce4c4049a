import { describe, expect, it } from "vitest";
import { framed } from "../../src/wire/frame.ts";
import { Greeting } from "../../src/wire/greeting.ts";

const frame = (name: string): Buffer => framed(Buffer.from(name));

describe("a greeting", () => {
  it.each([
    ["Z303", "old"],
    ["Z309", "old"],
    ["Z4", "old"],
    ["Z5", "new"],
    ["M5", "new"],
  ])("%s is read when it is whole", (name, family) => {
    const greeting = new Greeting();
    const bytes = frame(name);
    for (const byte of bytes.subarray(0, -1)) expect(greeting.push(Buffer.from([byte]))).toEqual({ kind: "more" });
    const greeted = greeting.push(Buffer.concat([bytes.subarray(-1), Buffer.from("rest")]));
    expect(greeted).toMatchObject({ kind: "greeted", newest: { name, family }, rest: Buffer.from("rest") });
  });

  it.each([
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

import { describe, expect, it } from "vitest";
import { Outbox, type Recipient } from "../../src/net/outbox.ts";
import { WRITE_ROOM } from "../../src/net/scratch.ts";

/** What has left, in order, each with the name of whom it went to. */
const left: string[] = [];

function recipient(name: string): Recipient {
  return { send: (bytes) => left.push(`${name} ${bytes.length > 20 ? bytes.length : bytes.toString()}`) };
}

const a = recipient("a");
const b = recipient("b");

function write(outbox: Outbox, to: Recipient, text: string): void {
  const bytes = Buffer.from(text);
  if (!outbox.add(to, bytes)) to.send(bytes);
}

function event(work: (outbox: Outbox) => void): readonly string[] {
  left.length = 0;
  const outbox = new Outbox();
  outbox.open();
  work(outbox);
  outbox.close();
  return [...left];
}

describe("what is written in one event", () => {
  it("to one leaves in one write, when the event is over", () => {
    const sent = event((outbox) => {
      for (const text of ["one ", "two ", "three"]) write(outbox, a, text);
      expect(left).toEqual([]);
    });
    expect(sent).toEqual(["a one two three"]);
  });

  it("keeps its order from one to the other", () => {
    const sent = event((outbox) => {
      for (const text of ["1", "2"]) write(outbox, a, text);
      for (const text of ["3", "4"]) write(outbox, b, text);
      write(outbox, a, "5");
    });
    expect(sent).toEqual(["a 12", "b 34", "a 5"]);
  });

  it("leaves before the event is over where somebody asks how far it has gone", () => {
    event((outbox) => {
      write(outbox, a, "1");
      outbox.flushFor(b);
      expect(left).toEqual([]);
      outbox.flushFor(a);
      expect(left).toEqual(["a 1"]);
      write(outbox, a, "2");
    });
    expect(left).toEqual(["a 1", "a 2"]);
  });

  it("and has no room leaves by itself, behind what stands before it", () => {
    const large = "x".repeat(WRITE_ROOM.length + 1);
    const sent = event((outbox) => {
      write(outbox, a, "1");
      write(outbox, a, large);
      write(outbox, a, "2");
    });
    expect(sent).toEqual(["a 1", `a ${large.length}`, "a 2"]);
  });

  it("fills the room to its last byte, and no further", () => {
    const rest = WRITE_ROOM.length - 30;
    const sent = event((outbox) => {
      write(outbox, a, "x".repeat(30));
      write(outbox, a, "x".repeat(rest));
      write(outbox, a, "y");
    });
    expect(sent).toEqual([`a ${WRITE_ROOM.length}`, "a y"]);
  });

  it("is not copied where it is the only piece", () => {
    const bytes = Buffer.from("alone");
    let sent: Buffer | undefined;
    event((outbox) => outbox.add({ send: (got) => (sent = got) }, bytes));
    expect(sent).toBe(bytes);
  });
});

describe("what is written outside of an event", () => {
  it("leaves at once", () => {
    left.length = 0;
    const outbox = new Outbox();
    write(outbox, a, "1");
    outbox.open();
    outbox.close();
    write(outbox, a, "2");
    expect(left).toEqual(["a 1", "a 2"]);
  });
});

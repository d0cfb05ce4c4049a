import { describe, expect, it } from "vitest";
import { walkOids } from "../../../src/wire/pickle/oid-walk.ts";
import { scanOids } from "../../../src/wire/pickle/oids.ts";
import { isPlainListPickle } from "../../../src/wire/pickle/scan.ts";
import { pickleCodec } from "../../../src/wire/pickle-codec.ts";
import { asTid } from "../../../src/wire/ids.ts";
import { id8, oidsTo } from "../codec-vectors.ts";
import { messageOf } from "../hostile.ts";
import { latin } from "../raw.ts";

const oid = (n: number): string => id8(n).toString("latin1");
const TID = asTid(5n);

/** The list alone, behind which a message ends. */
const walked = (body: string): { oids: Buffer; end: number } | undefined => walkOids(latin(`${body}t.`), 0);

describe("walkOids", () => {
  const one = `C\x08${oid(1)}`;
  const two = `C\x08${oid(2)}`;

  it.each([
    ["an empty list", "]", []],
    ["a list of one", `]${one}a`, [1]],
    ["a list in a batch", `](${one}${two}e`, [1, 2]],
    ["batches behind each other", `](${one}${two}e(${two}e${one}a`, [1, 2, 2, 1]],
    ["a list with a memo", `]q\x01(${one}q\x02${two}q\x03h\x02e`, [1, 2, 1]],
    ["a list with the memo of protocol 4", `]\x94(${one}\x94${two}\x94h\x01e`, [1, 2, 1]],
    ["a list of protocol 0", `(${one}p1\n${two}p2\ng1\nl`, [1, 2, 1]],
    ["a tuple", `(${one}${two}${one}t`, [1, 2, 1]],
    ["frames", `](\x95\0\0\0\0\0\0\0\0${one}${two}e`, [1, 2]],
    ["long opcodes", `](B\x08\0\0\0${oid(1)}\x8e\x08\0\0\0\0\0\0\0${oid(2)}e`, [1, 2]],
    ["pairs with an empty version", `](${one}X\0\0\0\0\x86${two}U\0\x86e`, [1, 2]],
    ["pairs with a serial", `](${one}${two}\x86${two}${one}\x86e`, [1, 2]],
    ["pairs behind marks", `]((${one}U\x02rst(${two}U\x02rste`, [1, 2]],
    ["one pair behind a mark", `](${one}U\x02rsta`, [1]],
  ])("reads %s", (_name, body, oids) => {
    const list = walked(body);
    expect(list?.oids).toEqual(Buffer.concat(oids.map((n) => id8(n))));
    expect(list?.end).toBe(latin(body).length);
  });

  it.each([
    ["a number in it", `](${one}K\x01e`],
    ["a byte string of seven bytes", "](C\x07abcdefge"],
    ["text of eight bytes", "](X\x08\0\0\0abcdefghe"],
    ["a list in it", `](](${one}ee`],
    ["a dictionary in it", `](${one}}e`],
    ["three in a tuple", `](${one}${two}${one}\x87e`],
    ["a memo that nobody wrote", "](h\x05e"],
    ["a memo of something else", `](${one}K\x01q\x05\x86h\x05e`],
    ["an open batch", `](${one}`],
    ["nothing that is a list", "}"],
  ])("leaves one with %s to others", (_name, body) => {
    expect(walked(body)).toBeUndefined();
  });

  it("knows what the message has memoized before the list", () => {
    const payload = messageOf(pickleCodec, 5, 0, "m", latin(`(C\x08${oid(9)}q\x07](h\x07${one}et`));
    const { argsAt } = pickleCodec.peek(payload) ?? { argsAt: 0 };
    expect(walkOids(payload, payload.indexOf("](", argsAt))?.oids).toEqual(Buffer.concat([id8(9), id8(1)]));
  });

  it.each([0, 1, 2, 3, 999, 1000, 1001, 2500])("reads %i oids of a server's as the quick way does", (count) => {
    const oids = oidsTo(count);
    for (const dialect of ["pickle1", "pickle3-py2", "pickle3"] as const) {
      for (const shape of ["plain", "pairs"] as const) {
        const payload = pickleCodec.encodeInvalidation(dialect, shape, TID, oids);
        const at = payload.indexOf(0x5d);
        const list = walkOids(payload, at);
        expect(list?.oids.equals(oids), `${dialect}, ${shape}`).toBe(true);
        expect(list?.end, `${dialect}, ${shape}`).toBe(scanOids(payload, at)?.end);
      }
    }
  });
});

describe("isPlainListPickle", () => {
  it("takes a vote's serials for one, and conflicts not", () => {
    const is = (body: string): boolean => {
      const payload = messageOf(pickleCodec, 5, 0, ".reply", latin(body));
      return isPlainListPickle(payload, pickleCodec.peek(payload)?.argsAt ?? 0);
    };
    expect(is(`](C\x08${oid(1)}C\x02rs\x86C\x08${oid(2)}C\x08${oid(7)}\x86e`)).toBe(true);
    expect(is(`]C\x08${oid(1)}a`)).toBe(true);
    expect(is(`](C\x08${oid(1)}}e`)).toBe(false);
    expect(is("N")).toBe(false);
  });
});

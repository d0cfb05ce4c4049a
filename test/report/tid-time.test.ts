import fc from "fast-check";
import { expect, it } from "vitest";
import { tidTime } from "../../src/report/tid-time.ts";
import { ANY_TID, asTid, NO_TID, tidTimeMs, type Tid } from "../../src/wire/ids.ts";

const whole = (tid: Tid): string => new Date(tidTimeMs(tid)).toISOString();

it("is the date of any tid, whatever was asked for before it", () => {
  const tids = fc.bigInt({ min: NO_TID, max: ANY_TID }).map(asTid);
  fc.assert(
    fc.property(fc.array(tids), (all) => {
      for (const tid of all) expect(tidTime(tid)).toBe(whole(tid));
    }),
  );
});

it("is the date of tids of the same minute and of the one behind it", () => {
  const minute = 0x03e7a1c2n << 32n;
  const parts = [0n, 1n, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 0n];
  for (const part of parts) expect(tidTime(asTid(minute + part))).toBe(whole(asTid(minute + part)));
});

it("is the date of the first and the last tid there can be", () => {
  expect([tidTime(NO_TID), tidTime(ANY_TID)]).toEqual([whole(NO_TID), whole(ANY_TID)]);
});

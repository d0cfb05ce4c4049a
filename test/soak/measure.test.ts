import { describe, expect, it } from "vitest";
import { isAtRest, leftovers, type Measure } from "./measure.ts";

const MIB = 1024 * 1024;

const REST: Measure = {
  clients: 0,
  descriptors: { socket: 3, pipe: 2 },
  resources: { TCPServerWrap: 2 },
  heapBytes: 10 * MIB,
  externalBytes: 2 * MIB,
  residentBytes: 70 * MIB,
};

function left(last: Partial<Measure>): string[] {
  return leftovers(REST, { ...REST, heapBytes: 12 * MIB }, { ...REST, ...last });
}

describe("what is left over", () => {
  it("is nothing where all is as it was, or less", () => {
    expect(left({})).toEqual([]);
    expect(left({ heapBytes: 13 * MIB, descriptors: { socket: 3 }, residentBytes: 200 * MIB })).toEqual([]);
  });

  it.each([
    ["a session", { clients: 1 }, "1 sessions"],
    ["a descriptor", { descriptors: { socket: 4 } }, "descriptors: 4 socket, 3 before the first client"],
    ["a timer", { resources: { Timeout: 1 } }, "resources: 1 Timeout, 0 before the first client"],
    ["heap", { heapBytes: 16 * MIB }, "the heap: 16.0 MiB, 12.0 MiB after the first minute"],
    ["buffers", { externalBytes: 5 * MIB }, "memory outside of the heap: 5.0 MiB, 2.0 MiB after the first minute"],
  ])("is named: %s", (_, last, reason) => {
    expect(left(last)).toEqual([reason]);
  });

  it("is waited for while a session or what it had open is there; memory is not", () => {
    expect(isAtRest(REST, { ...REST, heapBytes: 99 * MIB })).toBe(true);
    expect(isAtRest(REST, { ...REST, clients: 1 })).toBe(false);
    expect(isAtRest(REST, { ...REST, descriptors: { socket: 5 } })).toBe(false);
    expect(isAtRest(REST, { ...REST, resources: { TCPServerWrap: 2, TCPSocketWrap: 1 } })).toBe(false);
  });
});

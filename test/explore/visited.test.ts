import fc from "fast-check";
import { expect, it } from "vitest";
import { Visited } from "./visited.ts";

it("knows what was added, also after it has grown, and nothing else", () => {
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 6, max: 3 });
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 400 }), (all) => {
      const visited = new Visited(4);
      const naive = new Set<string>();
      for (const one of all) {
        const isNew = !naive.has(one.join());
        naive.add(one.join());
        expect(visited.add(one, one.length)).toBe(isNew);
      }
      expect(visited.size).toBe(naive.size);
    }),
  );
});

it("looks at no more bytes than it is told", () => {
  const visited = new Visited();
  expect(visited.add(Uint8Array.of(1, 2, 3), 2)).toBe(true);
  expect(visited.add(Uint8Array.of(1, 2, 4), 2)).toBe(false);
  expect(visited.add(Uint8Array.of(1, 2, 4), 3)).toBe(true);
});

import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { CommitLock } from "../../src/embedded/commit-lock.ts";

interface Asking {
  readonly name: string;
}

/** Three have asked for it, one behind the other. */
function asked() {
  const lock = new CommitLock<Asking>();
  const granted: string[] = [];
  const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];
  for (const one of [a, b, c]) lock.acquire(one, () => granted.push(one.name));
  return { lock, granted, a, b, c };
}

describe("CommitLock", () => {
  it("is granted at once when it is free, and in the order of asking otherwise", async () => {
    const { lock, granted, a, b, c } = asked();
    expect(granted).toEqual(["a"]);
    expect([lock.owner, lock.waiting, lock.isWaiting(c)]).toEqual([a, 2, true]);
    lock.release(a);
    await turn();
    expect(granted).toEqual(["a", "b"]);
    lock.release(b);
    await turn();
    expect(granted).toEqual(["a", "b", "c"]);
    lock.release(c);
    expect(lock.owner).toBeUndefined();
  });

  it("passes over who has given up its place, even between the grant and its turn", async () => {
    const { lock, granted, a, b, c } = asked();
    lock.release(a);
    lock.release(b);
    await turn();
    expect(granted).toEqual(["a", "c"]);
    lock.release(b);
    expect(lock.owner).toBe(c);
  });
});

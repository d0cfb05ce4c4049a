import { describe, expect, it } from "vitest";
import { Guard } from "../../src/session/guard.ts";
import { asTid, type Tid } from "../../src/wire/ids.ts";

const tid = (n: number): Tid => asTid(BigInt(n));

function registeredGuard(oldClient = false): Guard {
  const guard = new Guard(oldClient);
  guard.registerReplyWritten();
  return guard;
}

describe("the guard refuses an invalidation", () => {
  it("before the register reply was written", () => {
    expect(new Guard(false).refuses(tid(1))).toBe("guard-before-register");
    expect(registeredGuard().refuses(tid(1))).toBeUndefined();
  });

  it("whose tid does not grow", () => {
    const guard = registeredGuard();
    expect(guard.refuses(tid(5))).toBeUndefined();
    expect(guard.refuses(tid(5))).toBe("guard-not-growing");
    expect(guard.refuses(tid(4))).toBe("guard-not-growing");
    expect(guard.refuses(tid(6))).toBeUndefined();
  });

  it("of the client's own commit", () => {
    const guard = registeredGuard();
    guard.finishForwarded();
    guard.committed(tid(5));
    guard.finishReplyWritten();
    expect(guard.refuses(tid(5))).toBe("guard-own-commit");
    expect(guard.refuses(tid(6))).toBeUndefined();
  });

  it("of one of the client's newest 64 commits: no more are remembered", () => {
    const guard = registeredGuard();
    for (let n = 1; n <= 65; n++) guard.committed(tid(n));
    expect(guard.refuses(tid(2))).toBe("guard-own-commit");
    expect(guard.refuses(tid(1))).toBeUndefined();
  });

  it("inside an old client's finish, not inside a new one's", () => {
    const [old, young] = [registeredGuard(true), registeredGuard()];
    for (const guard of [old, young]) guard.finishForwarded();
    expect(old.refuses(tid(5))).toBe("guard-inside-finish");
    expect(young.refuses(tid(5))).toBeUndefined();
    old.finishReplyWritten();
    expect(old.refuses(tid(6))).toBeUndefined();
  });

  it("that is told again, only where it would not grow or must not be now", () => {
    const guard = registeredGuard(true);
    guard.refuses(tid(5));
    expect(guard.refusesAgain(tid(4))).toBe("guard-not-growing");
    expect(guard.refusesAgain(tid(5))).toBeUndefined();
    guard.finishForwarded();
    guard.committed(tid(6));
    expect(guard.refusesAgain(tid(6))).toBe("guard-inside-finish");
    guard.finishReplyWritten();
    expect(guard.refusesAgain(tid(6))).toBeUndefined();
    expect(new Guard(false).refusesAgain(tid(6))).toBe("guard-before-register");
  });

  it("and remembers none that it refused", () => {
    const guard = registeredGuard(true);
    guard.finishForwarded();
    guard.refuses(tid(9));
    guard.finishReplyWritten();
    expect(guard.refuses(tid(5))).toBeUndefined();
  });
});

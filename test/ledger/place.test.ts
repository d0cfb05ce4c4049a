import { describe, expect, it } from "vitest";
import { place, placeRegister, provenInOutbox, push, waitNumber } from "../../src/ledger/place.ts";
import { endFinish } from "../../src/ledger/leave.ts";
import { beginFinish } from "../../src/ledger/settle.ts";
import {
  item,
  newAccount,
  newState,
  type Item,
  type ServerFamily,
  type Account,
  type StorageState,
} from "../../src/ledger/state.ts";
import { changesOf, newTransaction } from "../../src/ledger/transaction.ts";
import { asTid, NO_TID } from "../../src/wire/ids.ts";

const tid = (n: number): ReturnType<typeof asTid> => asTid(BigInt(n));

function outbox(
  server: ServerFamily,
  ...items: Item<string>[]
): { state: StorageState<string>; account: Account<string> } {
  const state = newState<string>(server);
  const account = newAccount(1, state);
  for (const one of items) push(state, account, one);
  return { state, account };
}

const reply = (n: number, exact = true): Item<string> => item("reply", `reply T${n}`, 10, { tid: tid(n), exact });
const grant = item<string>("grant", "vote", 10);
const plain = item<string>("plain", "info", 10);
const register = item<string>("register", "register", 10);
const invalidation = (n: number): Item<string> => item("invalidation", `T${n}`, 10, { tid: tid(n) });
const payloads = (account: Account<string>): (string | undefined)[] => account.outbox.map((one) => one.payload);

describe("place", () => {
  it("goes before the first message that shows its tid or a later one", () => {
    const { state, account } = outbox("new", plain, reply(1), reply(3), plain);
    place(state, account, invalidation(2));
    expect(payloads(account)).toEqual(["info", "reply T1", "T2", "reply T3", "info"]);
    expect(account.heldBytes).toBe(50);
  });

  it("goes to the end where nothing shows it", () => {
    const { state, account } = outbox("new", reply(1), plain);
    place(state, account, invalidation(2));
    expect(payloads(account)).toEqual(["reply T1", "info", "T2"]);
  });

  it("keeps tids growing", () => {
    const { state, account } = outbox("new", invalidation(1), invalidation(3));
    place(state, account, invalidation(2));
    expect(payloads(account)).toEqual(["T1", "T2", "T3"]);
  });

  it("goes before a granted vote, which shows no tid, and before a mere likeness of one", () => {
    const { state, account } = outbox("old", plain, grant);
    place(state, account, invalidation(2));
    expect(payloads(account)).toEqual(["info", "T2", "vote"]);
    const other = outbox("old", reply(2, false));
    place(other.state, other.account, invalidation(2));
    expect(payloads(other.account)).toEqual(["T2", "reply T2"]);
  });

  it("never goes before the register reply", () => {
    const { state, account } = outbox("new", item("register", "register", 10, { tid: tid(5) }), reply(5));
    place(state, account, invalidation(2));
    expect(payloads(account)).toEqual(["register", "T2", "reply T5"]);
  });

  it("nor before what stands before the register reply, though that shows its tid", () => {
    const { state, account } = outbox("new", reply(5), register, reply(5));
    place(state, account, invalidation(2));
    expect(payloads(account)).toEqual(["reply T5", "register", "T2", "reply T5"]);
  });
});

describe("placeRegister", () => {
  it("goes before what an old server announced ahead of it, behind everything else", () => {
    const { state, account } = outbox("old", plain, invalidation(1), invalidation(2));
    placeRegister(state, account, register);
    expect(payloads(account)).toEqual(["info", "register", "T1", "T2"]);
  });

  it("goes behind all that waits where nothing was announced", () => {
    const { state, account } = outbox("old", plain, reply(1));
    placeRegister(state, account, register);
    expect(payloads(account)).toEqual(["info", "reply T1", "register"]);
  });
});

describe("provenInOutbox", () => {
  it("old: by what shows the tid or a later one for certain, and by a granted vote", () => {
    const proves = (...items: Item<string>[]): boolean => {
      const { state, account } = outbox("old", ...items);
      return provenInOutbox(state, account, tid(2));
    };
    expect(proves(reply(2))).toBe(true);
    expect(proves(grant)).toBe(true);
    expect(proves(invalidation(3))).toBe(true);
    expect(proves(plain, reply(2))).toBe(true);
    expect(proves(reply(1), plain, register)).toBe(false);
    expect(proves(reply(9, false), item("register", "register", 10, { tid: tid(9) }))).toBe(false);
    expect(proves(reply(2, false))).toBe(false);
  });

  it("new: only by a message of a later tid", () => {
    const proves = (...items: Item<string>[]): boolean => {
      const { state, account } = outbox("new", ...items);
      return provenInOutbox(state, account, tid(2));
    };
    expect(proves(reply(2), reply(9))).toBe(false);
    expect(proves(invalidation(2))).toBe(false);
    expect(proves(plain, invalidation(3))).toBe(true);
  });
});

describe("waitNumber", () => {
  it("is the newest commit whose tid may lie at a tid or below", () => {
    const state = newState<string>("new");
    const begin = (): number =>
      beginFinish(state, 1, { changes: changesOf(newTransaction(1)), explicitTid: NO_TID }).number;
    expect(waitNumber(state, tid(9))).toBe(0);
    const first = begin();
    state.known = tid(4);
    const second = begin();
    expect(waitNumber(state, NO_TID)).toBe(0);
    expect(waitNumber(state, tid(4))).toBe(first);
    expect(waitNumber(state, tid(5))).toBe(second);
    endFinish(state, second);
    expect(waitNumber(state, tid(5))).toBe(first);
  });
});

import { expect } from "vitest";
import type { Happening } from "../../src/happening/happening.ts";
import type { SessionHost, SessionLimits, SessionNews } from "../../src/session/host.ts";
import { Memory, type Share } from "../../src/session/memory.ts";
import { MessageCounts } from "../../src/session/message-counts.ts";
import { Session } from "../../src/session/session.ts";
import { shadowOf } from "../../src/session/shadow.ts";
import type { Storage, StorageHost } from "../../src/storage/storage.ts";
import { Storages } from "../../src/storage/storages.ts";
import { MovedClock } from "../storage/moved-clock.ts";
import { PlayedConnection } from "./played-connection.ts";
import { Speech } from "./speech.ts";

const MIB = 1024 * 1024;

/** What the silent server is given: longer than what a leg lingers. */
export const HANDSHAKE_MS = 30_000;

/** What a client is given to take something. */
export const STALLED_MS = 60_000;

const LIMITS: SessionLimits = {
  frameBytes: 64 * MIB,
  handshakeMs: HANDSHAKE_MS,
  stalledMs: STALLED_MS,
};

export interface StageOptions {
  readonly limits?: Partial<SessionLimits>;
  readonly refuseUnknown?: boolean;
  readonly memoryBytes?: number;
  readonly historyBytes?: number;
  readonly witness?: StorageHost["witness"];
}

/** A session between two connections that the test plays. */
export interface Pair {
  readonly session: Session;
  readonly client: PlayedConnection;
  readonly server: PlayedConnection;
}

/** Sessions of one upstream, without a network and with a clock that the test moves. All speak one protocol. */
export class Stage {
  readonly clock = new MovedClock();
  readonly speech: Speech;
  readonly storages: Storages;
  readonly memory: Memory;
  readonly messages = new MessageCounts();
  readonly happenings: Happening[] = [];
  /** What the sessions have told their upstream. */
  readonly news: { readonly session: Session; readonly news: SessionNews }[] = [];
  readonly pairs: Pair[] = [];
  /** Is it known that the server speaks first? */
  serverGreets = true;
  readonly #host: SessionHost<Session>;
  #storage: Storage | undefined;

  constructor(
    protocol = "Z5",
    { limits = {}, refuseUnknown = false, memoryBytes = 64 * MIB, historyBytes, witness }: StageOptions = {},
  ) {
    this.speech = new Speech(protocol);
    this.memory = new Memory(memoryBytes);
    const { clock } = this;
    const report = (happening: Happening): void => void this.happenings.push(happening);
    const share = (free: () => void): Share => this.memory.share(free);
    this.storages = new Storages("server:1", { clock, report, historyBytes: historyBytes ?? MIB, share, witness });
    this.#host = {
      settings: { name: "main", limits: { ...LIMITS, ...limits }, refuseUnknown },
      clock,
      storages: this.storages,
      memory: this.memory,
      messages: this.messages,
      report,
      serverGreets: () => this.serverGreets,
      tell: (session, news) => void this.news.push({ session, news }),
      shadow: (client, server) => shadowOf(this.#host, this.memory, client, server),
    };
  }

  connected(isObserved = false): Pair {
    const number = this.pairs.length + 1;
    const client = new PlayedConnection(`client:${number}`);
    const server = new PlayedConnection(`server:${number}`);
    const session = new Session(client, server, this.#host);
    if (isObserved) session.observe();
    client.handOver(session.fromClient);
    server.handOver(session.fromServer);
    const pair = { session, client, server };
    this.pairs.push(pair);
    return pair;
  }

  /** Both sides have named the protocol. */
  shaken(isObserved = false): Pair {
    const pair = this.connected(isObserved);
    pair.server.reads(this.speech.name);
    pair.client.reads(this.speech.name);
    forget(pair);
    return pair;
  }

  /** `register` with storage `1` was answered; `tid`: by a new server. */
  registered(tid = 1000, isObserved = false): Pair {
    const pair = this.registering(isObserved);
    pair.server.reads(this.speech.welcome(1, tid));
    forget(pair);
    return pair;
  }

  /** `register` is on its way. */
  registering(isObserved = false): Pair {
    const pair = this.shaken(isObserved);
    pair.client.reads(this.speech.call(1, "register", "1", false));
    forget(pair);
    this.#storage = this.storages.get("1", this.speech.protocol.family);
    return pair;
  }

  /** The same, with a `tpc_finish` on its way: it creates that object. */
  finishing(oid = 1, id = 9): Pair {
    const pair = this.registered();
    pair.client.reads(this.speech.creation(id, oid));
    forget(pair);
    return pair;
  }

  /** Storage `1`, also when it was forgotten. */
  get storage(): Storage {
    if (this.#storage === undefined) throw new Error("nobody has registered");
    return this.#storage;
  }

  /** What has left for a client, as `Speech.said` has it. */
  said({ client }: Pair): string[] {
    return client.frames().map((payload) => this.speech.said(payload));
  }

  /** Why the proxy itself has ended that session, as often as it was told. */
  endings({ client }: Pair): string[] {
    return this.happenings.flatMap((happening) =>
      happening.what === "ended" && happening.client === client.peer
        ? [`${happening.end.code} by ${happening.end.fault}`]
        : [],
    );
  }

  newsOf({ session }: Pair): SessionNews[] {
    return this.news.filter((told) => told.session === session).map(({ news }) => news);
  }

  /** Everyone leaves. Then nothing may be left of them: no account, no timer, no shared memory, no second word. */
  leave(): void {
    for (const pair of this.pairs) {
      if (pair.session.life !== "over") pair.session.destroy();
      // The one's end may lead to the other's.
      for (let round = 0; round < 3; round++) for (const end of [pair.client, pair.server]) end.settles();
    }
    for (const pair of this.pairs) {
      expect(pair.client.isClosed && pair.server.isClosed, `${pair.client.peer} is closed`).toBe(true);
      expect(pair.session.life).toBe("over");
      const closed = this.happenings.filter((one) => one.what === "closed" && one.client === pair.client.peer);
      expect(closed, "told that it is closed").toHaveLength(1);
      expect(this.newsOf(pair).filter((news) => news === "closed")).toHaveLength(1);
      expect(this.newsOf(pair).filter((news) => news === "server-ended").length).toBeLessThanOrEqual(1);
      expect(this.endings(pair).length, "told why it was ended").toBeLessThanOrEqual(1);
    }
    expect(this.#storage?.ledger.state.accounts.size ?? 0, "accounts").toBe(0);
    expect(this.#storage?.ledger.state.finishing ?? [], "commits on their way").toEqual([]);
    expect(this.memory.bytes, "memory").toBe(0);
    // A storage looks once more whether anything is owed.
    this.clock.move(250);
    expect(this.clock.pending, "timers").toEqual([]);
  }
}

/** Everything so far was only the way there. */
export function forget({ client, server }: Pair): void {
  for (const end of [client, server]) {
    end.taken();
    end.commands.length = 0;
  }
}

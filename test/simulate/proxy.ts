import type { Clock } from "../../src/clock.ts";
import { formatAddress } from "../../src/config/address.ts";
import type { Happening } from "../../src/happening/happening.ts";
import { ALL_RULES, type Rules } from "../../src/ledger/rules.ts";
import { Fullness } from "../../src/upstream/fullness.ts";
import type { WitnessSource } from "../../src/storage/witness.ts";
import { Memory, type Share } from "../../src/session/memory.ts";
import { Room } from "../../src/upstream/room.ts";
import { stopInOrder } from "../../src/upstream/stopping.ts";
import { Upstream } from "../../src/upstream/upstream.ts";
import { WitnessPair } from "../../src/witness/pair.ts";
import type { Visits } from "./visits.ts";
import { counted, happened, isOwnFault, watch, WatchedStorages } from "./instruments.ts";
import { HANDSHAKE_MS, type Subject, type SubjectMaker, type Surroundings } from "./subject.ts";

const PLENTY = 1e9;

/** Longer than any client of this world leaves what waits for it. */
const STALLED_MS = 60_000;
const AGAIN_MS = 200;
/** Reading a range may take so long. */
const RANGE_MS = 30_000;

const COUNTED = counted(ALL_RULES);

/** What a test leaves out of the product, or does otherwise. */
export interface Flawed {
  readonly rules?: Rules;
  /** What its own client shows to it. */
  readonly seen?: (source: WitnessSource) => WitnessSource;
  /** It does not note what clients are told while they read. */
  readonly isDeaf?: boolean;
  /** Are its clients repaired? */
  readonly mode?: "on" | "observe" | "turning";
}

export const proxy: SubjectMaker = (surroundings) => new Product(surroundings);

/** Its clients are observed. */
export const observer: SubjectMaker = (surroundings) => new Product(surroundings, { mode: "observe" });

/** Its clients are now repaired, now observed: at each few things that happen it is changed. */
export const turner: SubjectMaker = (surroundings) => new Product(surroundings, { mode: "turning" });

const TURNS_AT = 5;

const TURNING: ReadonlySet<Happening["what"]> = new Set([
  "opened",
  "closed",
  "repaired",
  "observed",
  "announced",
  "foreign",
]);

/** The product: its upstreams, with everything that they need of a process simulated. */
export class Product implements Subject {
  readonly repairs: boolean;
  readonly mayRepair: boolean;
  /** Of addresses that are asked for again. */
  readonly #cancels: (() => void)[] = [];
  /** By the server's address. */
  readonly #storages = new Map<string, WatchedStorages>();
  readonly #upstreams: Upstream[];
  readonly #room: Room;
  readonly #fullness: Fullness;
  readonly #clock: Clock;
  #isQuitting = false;
  #happened = 0;
  /** Servers that are not read any more, by their numbers. */
  readonly #unwatched = new Set<number>();
  /** By server: when sessions were ended for an exception in answer to a `tpc_finish`. */
  readonly #doubts = new Map<number, Set<number>>();
  /** What must never be told. */
  #wrong: string | undefined;

  constructor(
    surroundings: Surroundings,
    { rules = COUNTED, seen = (source) => source, isDeaf = false, mode = "on" }: Flawed = {},
  ) {
    const { clock, transport, witnessTransport, routes, room, mix, visits } = surroundings;
    this.repairs = mode === "on";
    this.mayRepair = mode !== "observe";
    this.#room = new Room(room);
    this.#clock = clock;
    const limits = {
      frameBytes: mix.frameBytes || PLENTY,
      handshakeMs: HANDSHAKE_MS,
      stalledMs: STALLED_MS,
    };
    watch(visits, isDeaf);
    const report = (happening: Happening): void => {
      happened(happening, visits);
      const wrong = told(happening) ?? this.#unread(happening, surroundings);
      this.#wrong ??= wrong;
      if (mode === "turning" && TURNING.has(happening.what)) this.#turn(visits);
    };
    this.#fullness = new Fullness(this.#room, clock, report);
    const memory = new Memory(mix.outbox > 0 ? mix.outbox : PLENTY);
    const share = (free: () => void): Share => memory.share(free);
    this.#upstreams = routes.map((route) => {
      const historyBytes = mix.history > 0 ? mix.history : PLENTY;
      const server = formatAddress(route.server);
      const dialling = { transport: witnessTransport, clock, timeoutMs: HANDSHAKE_MS };
      const witness = {
        of: (storage: string): WitnessSource =>
          seen(
            (witnessTold) =>
              new WitnessPair(
                {
                  server: route.server,
                  storage,
                  dialling,
                  told: witnessTold,
                  limits: { transactions: mix.catchUp, rangeMs: RANGE_MS },
                  threw: (error) => report({ what: "failed", upstream: "", storage, client: undefined, error }),
                },
                mix.holdMs / 4,
              ),
          ),
        settings: { pollMs: mix.pollMs, holdMs: mix.holdMs },
      };
      const host = {
        clock,
        report,
        historyBytes,
        tellsCommits: true,
        share,
        witness: mix.witness ? witness : undefined,
        witnessLost: () => {
          for (const upstream of this.#upstreams) if (upstream.storages === storages) upstream.witnessLost();
        },
      };
      const storages = this.#storages.get(server) ?? new WatchedStorages(rules, server, host);
      this.#storages.set(server, storages);
      const settings = { limits, refuseUnknown: mix.refuseUnknown };
      return new Upstream(mode === "observe" ? { ...route, repair: mode } : route, {
        settings,
        clock,
        transport,
        storages,
        memory,
        room: this.#room,
        report,
      });
    });
  }

  /** Behind what happens right now. */
  #turn(visits: Visits): void {
    this.#happened++;
    if (this.#happened % TURNS_AT !== 0) return;
    this.#clock.after(0, () => {
      for (const upstream of this.#upstreams) {
        for (const session of upstream.sessions) visits.count(session.isObserved ? "turn: observed" : "turn: repaired");
        upstream.repair = upstream.repair === "on" ? "observe" : "on";
      }
    });
  }

  start(): void {
    for (const upstream of this.#upstreams) {
      const bind = (): void =>
        upstream.bind((failure) => {
          if (this.#isQuitting) return;
          if (failure === undefined) upstream.begin(() => undefined);
          // The process would end, and be started again.
          else this.#cancels.push(this.#clock.after(AGAIN_MS, bind));
        });
      bind();
    }
  }

  stop(): void {
    this.#fullness.stop();
    for (const upstream of this.#upstreams) upstream.stop();
    for (const storages of this.#storages.values()) storages.stop();
  }

  quit(drainMs: number, done: () => void): void {
    this.#isQuitting = true;
    this.#fullness.stop();
    for (const cancel of this.#cancels) cancel();
    const parts = { upstreams: this.#upstreams, storages: this.#storages.values() };
    stopInOrder({ ...parts, clock: this.#clock, drainMs }, done);
  }

  /** What nobody is sent away for where the storage is read. @returns what is wrong */
  #unread(happening: Happening, surroundings: Surroundings): string | undefined {
    const { mix, watched, mayEndUnread } = surroundings;
    if (!mix.witness) return undefined;
    if (happening.what === "watched" || happening.what === "unwatched") {
      const server = serverOf(happening.upstream);
      const isWatched = happening.what === "watched" && this.#readsAll(happening.upstream);
      if (isWatched) this.#unwatched.delete(server);
      else this.#unwatched.add(server);
      watched(server, isWatched);
      return undefined;
    }
    if (happening.what !== "ended") return undefined;
    const server = serverOf(happening.upstream);
    const { code } = happening.end;
    switch (code) {
      case "unknown-commit":
        return this.#unwatched.has(server) || this.#mayDoubt(server, surroundings) ? undefined : code;
      case "incomplete-undo":
        return this.#unwatched.has(server) ? undefined : code;
      case "unread-commit":
        return mayEndUnread(server) || mix.catchUp < 100 ? undefined : code;
      default:
        return undefined;
    }
  }

  /** Clients of both families have storages of their own, and each of these its witness: does none lack it? */
  #readsAll(upstream: string): boolean {
    const storages = this.#upstreams.find(({ name }) => name === upstream)?.storages?.all() ?? [];
    return [...storages].every(({ ledger }) => ledger.facts.witness !== "off");
  }

  /** All are sent away behind an exception of a new server (docs/ordering.md, `limboIsForeign`), once for each. */
  #mayDoubt(server: number, { clock, failedFinishes }: Surroundings): boolean {
    const times = this.#doubts.get(server) ?? new Set();
    this.#doubts.set(server, times.add(clock.now()));
    return times.size <= failedFinishes(server);
  }

  check(clients: number): string | undefined {
    if (this.#wrong !== undefined) return this.#wrong;
    for (const upstream of this.#upstreams) {
      for (const session of upstream.sessions) {
        if (clients === 0) return `a session (${session.life})`;
        if (session.openCalls > 0) return `${session.openCalls} calls without a reply (${session.life})`;
      }
      if (clients === 0 && this.#room.taken > 0) return `${this.#room.taken} clients have taken room`;
    }
    for (const storages of this.#storages.values()) {
      for (const { ledger } of storages.all()) {
        const { finishing, accounts } = ledger.state;
        if (finishing.length > 0) return "a commit that is finishing";
        if (clients === 0 && accounts.size > 0) return `${accounts.size} accounts of a ledger`;
        for (const { outbox, due, phase } of accounts.values()) {
          if (outbox.length + due.length > 0) return `${outbox.length} held and ${due.length} due (${phase})`;
        }
      }
    }
    return undefined;
  }
}

/** The number of the server: an upstream's name has it. */
function serverOf(upstream: string): number {
  return Number(/^upstream (\d+)-/.exec(upstream)?.[1] ?? 0);
}

/** @returns what is wrong if it must never be told */
function told(happening: Happening): string | undefined {
  if (happening.what === "failed") {
    return String(happening.error instanceof Error ? happening.error.stack : happening.error);
  }
  if (happening.what !== "ended" || !isOwnFault(happening.end.code)) return undefined;
  const { code, cause } = happening.end;
  return `${code}: ${cause instanceof Error ? cause.stack : ""}`;
}

import { ENDS, type EndCode } from "../../src/happening/ends.ts";
import type { Happening } from "../../src/happening/happening.ts";
import { StorageLedger } from "../../src/ledger/ledger.ts";
import { ALL_RULES, type Rules } from "../../src/ledger/rules.ts";
import type { Action, ServerFamily } from "../../src/ledger/state.ts";
import { Lifetime } from "../../src/session/lifetime.ts";
import { OpenReads } from "../../src/session/open-reads.ts";
import type { Life } from "../../src/session/lives.ts";
import type { Storage } from "../../src/storage/storage.ts";
import { Storages } from "../../src/storage/storages.ts";
import { Availability, type Decision } from "../../src/upstream/availability.ts";
import { slotOf, type Visits } from "./visits.ts";

// What the product does inside, counted: which lives, actions, facts, decisions, ends and rules a run comes to. Its classes
// are wrapped once, for all worlds of the process, as plainly as can be.

/** Each name of a union: the compiler says which one is missing. */
type All<K extends string> = Readonly<Record<K, true>>;

const LIVES: All<Life["is"]> = {
  shaking: true,
  open: true,
  registered: true,
  draining: true,
  orphan: true,
  relayed: true,
  over: true,
};
const FACTS = {
  repaired: true,
  committed: true,
  foreign: true,
  "told-late": true,
  "copied-history": true,
  "ledger-ended": true,
} as const;
const ACTIONS: All<Exclude<Action<unknown>["do"], keyof typeof FACTS>> = {
  forward: true,
  announce: true,
  resume: true,
  ask: true,
  end: true,
  "close-client": true,
  "close-server": true,
};
const DECISIONS: All<Decision["do"]> = {
  listen: true,
  "give-up-address": true,
  try: true,
  admit: true,
  "tell-listening": true,
  "tell-down": true,
  "tell-up": true,
  "tell-blocked": true,
  "tell-trouble": true,
  "tell-trouble-over": true,
};
const STATES: All<Availability["state"]> = {
  starting: true,
  listening: true,
  full: true,
  trouble: true,
  blocked: true,
  down: true,
  stopped: true,
};
/** Ends and repairs are counted by what they are; of the others no world has any: descriptors, addresses, TLS, an admin server. */
type ElseCounted = "ended" | "relayed" | "announced";
type Elsewhere =
  | "few-descriptors"
  | "refused"
  | "unguarded"
  | "tls-failed"
  | "unverified"
  | "admin-listening"
  | "admin-failed";
const HAPPENINGS: All<Exclude<Happening["what"], ElseCounted | Elsewhere>> = {
  repaired: true,
  resumed: true,
  "not-resumed": true,
  "in-limbo": true,
  committed: true,
  foreign: true,
  observed: true,
  unwatched: true,
  watched: true,
  "old-answer": true,
  "told-late": true,
  "copied-history": true,
  "ledger-ended": true,
  "set-back-again": true,
  "held-long": true,
  "held-over": true,
  failed: true,
  opened: true,
  closed: true,
  asked: true,
  listening: true,
  down: true,
  moved: true,
  blocked: true,
  up: true,
  trouble: true,
  "trouble-over": true,
  "several-addresses": true,
  full: true,
  room: true,
};

/** Those that are the proxy's own fault. */
export function isOwnFault(code: EndCode): boolean {
  return ENDS[code].fault === "proxy";
}

/** What must not happen: a world has one server. */
const UNWANTED: readonly string[] = ["failed", "several-addresses"] satisfies Happening["what"][];

/** No client and no server here leads to these; test/session does. */
const ELSEWHERE: readonly EndCode[] = ["too-many-calls", "unknown-dialect", "message-too-long", "reply-too-early"];

type Slots = Readonly<Record<string, number>>;

function slots(group: string, names: Iterable<string>): Slots {
  return Object.fromEntries([...names].map((name) => [name, slotOf(`${group}: ${name}`)]));
}

const LIFE = slots("life", Object.keys(LIVES));
const DONE: Slots = { ...slots("action", Object.keys(ACTIONS)), ...slots("fact", Object.keys(FACTS)) };
const DECIDED = slots("decision", Object.keys(DECISIONS));
const STATE = slots("listener", Object.keys(STATES));
const HAPPENED = slots("proxy", Object.keys(HAPPENINGS));
const ENDED = slots("end", Object.keys(ENDS));
const REPAIRED = slots("proxy", ["completed", "synthesized"]);

/** Everything that the product should do some time; and what it must not do. */
export function declareProxy(visits: Visits): void {
  const declare = (group: string, names: Iterable<string>): void =>
    visits.declare([...names].map((name) => `${group}: ${name}`));
  const codes = Object.keys(ENDS) as EndCode[];
  // Nobody "becomes" what it begins with.
  declare(
    "life",
    Object.keys(LIVES).filter((life) => life !== "shaking"),
  );
  declare("action", Object.keys(ACTIONS));
  declare("fact", Object.keys(FACTS));
  declare("decision", Object.keys(DECISIONS));
  declare(
    "listener",
    Object.keys(STATES).filter((state) => state !== "starting"),
  );
  const wanted = Object.keys(HAPPENINGS).filter((what) => !UNWANTED.includes(what));
  declare("proxy", [...wanted, "completed", "synthesized"]);
  declare(
    "proxy",
    ["tls", "unknown-protocol", "mac", "ruok"].map((reason) => `relayed ${reason}`),
  );
  declare(
    "end",
    codes.filter((code) => !isOwnFault(code) && !ELSEWHERE.includes(code)),
  );
  declare("rule", Object.keys(ALL_RULES));
  visits.declareUnwanted([
    ...codes.filter(isOwnFault).map((code) => `end: ${code}`),
    ...UNWANTED.map((what) => `proxy: ${what}`),
  ]);
}

/** Whose run it is. */
let current: Visits | undefined;
/** Nobody notes what a client was told while it reads: a flaw that tests plant. */
let isDeaf = false;

/** From now on this one counts. */
export function watch(visits: Visits, deaf: boolean): void {
  current = visits;
  isDeaf = deaf;
}

export function happened(happening: Happening, visits: Visits): void {
  switch (happening.what) {
    case "ended":
      visits.add(ENDED[happening.end.code] as number);
      return;
    case "relayed":
      visits.count(`proxy: relayed ${happening.reason}`);
      return;
    case "few-descriptors":
    case "refused":
    case "unguarded":
    case "admin-listening":
    case "admin-failed":
      return;
    case "announced":
      visits.add(REPAIRED[happening.repair] as number);
      return;
    default:
      visits.add(HAPPENED[happening.what] as number);
  }
}

// --- wrapped --------------------------------------------------------------------------------------------------------

type Method = (...args: unknown[]) => unknown;

/** From now on that method of all objects of the class is `made(method)`, which is to call it. */
function wrap(prototype: object, name: string, made: (method: Method) => Method): void {
  const methods = prototype as Record<string, Method>;
  methods[name] = made(methods[name] as Method);
}

wrap(
  Lifetime.prototype,
  "become",
  (become) =>
    function (this: Lifetime, life: unknown): void {
      if (this.now.is !== "over") current?.add(LIFE[(life as Life).is] as number);
      become.call(this, life);
    },
);

wrap(
  StorageLedger.prototype,
  "take",
  (take) =>
    function (this: StorageLedger<unknown>): Action<unknown>[] {
      const actions = take.call(this) as Action<unknown>[];
      for (const action of actions) current?.add(DONE[action.do] as number);
      return actions;
    },
);

wrap(
  OpenReads.prototype,
  "told",
  (told) =>
    function (this: OpenReads, ...args: unknown[]): void {
      if (!isDeaf) told.apply(this, args);
    },
);

/** All events of an upstream's availability that lead to decisions. */
const EVENTS = [
  "tried",
  "dialFailed",
  "lastEnded",
  "silent",
  "hindered",
  "opened",
  "openFailed",
  "room",
  "stop",
] as const;
for (const event of EVENTS) {
  wrap(
    Availability.prototype,
    event,
    (decide) =>
      function (this: Availability, ...args: unknown[]): Decision[] {
        const before = this.state;
        const decisions = decide.apply(this, args) as Decision[];
        for (const decision of decisions) current?.add(DECIDED[decision.do] as number);
        if (this.state !== before) current?.add(STATE[this.state] as number);
        return decisions;
      },
  );
}

/** The same rules; each question for one counts. */
export function counted(rules: Rules): Rules {
  return Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries(rules).map(([rule, isOn]) => {
        const slot = slotOf(`rule: ${rule}`);
        const get = (): boolean => {
          current?.add(slot);
          return isOn;
        };
        return [rule, { get, enumerable: true }];
      }),
    ),
  ) as Rules;
}

/** Storages whose ledgers' rules are counted when they are asked. */
export class WatchedStorages extends Storages {
  readonly #rules: Rules;

  constructor(rules: Rules, ...rest: ConstructorParameters<typeof Storages>) {
    super(...rest);
    this.#rules = rules;
  }

  override get(name: string, family: ServerFamily): Storage {
    const storage = super.get(name, family);
    const { state } = storage.ledger as { readonly state: { rules: Rules } };
    state.rules = this.#rules;
    return storage;
  }
}

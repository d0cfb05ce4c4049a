import { byId, element, keyed, setFacts, setText } from "./dom.js";
import { count, counted, date, duration, size, tidTime } from "./format.js";

/** @typedef {import("../messages.ts").Overview} Overview */
/** @typedef {import("../snapshot.ts").UpstreamView} UpstreamView */
/** @typedef {import("../snapshot.ts").ClientView} ClientView */
/** @typedef {Overview["storages"][number]} StorageView */

const STATES = {
  starting: "starting: looking at the server",
  listening: "listening",
  down: "not listening: the server is down",
  full: "not listening: limits.clients is reached",
  trouble: "not listening: this machine can't make connections",
  blocked: "not listening: the address can't be had",
  stopped: "stopped",
};

const WITNESSES = {
  up: "there: commits that do not pass through here are read",
  away: "away: coming back; commits that do not pass through here wait for it",
  off: "none: commits that do not pass through here are relayed as the server tells them",
};

/** @param {Overview} overview */
export function showOverview(overview) {
  alarm(overview);
  observing(overview);
  totals(overview);
  /** @type {(card: HTMLElement, upstream: UpstreamView) => void} */
  const upstream = (card, one) => {
    head(card, one.name, ...stateOf(one));
    facts(card, upstreamFacts(one));
  };
  keyed(byId("upstreams", HTMLElement), overview.upstreams, ({ name }) => name, newCard, upstream);
  /** @type {(card: HTMLElement, storage: StorageView) => void} */
  const storage = (card, one) => {
    head(card, one.isObserved ? `${one.storage}, as observed` : one.storage, ...patched(one));
    facts(card, storageFacts(one));
  };
  const keyOf = (/** @type {StorageView} */ one) => `${one.isObserved} ${one.family} ${one.server} ${one.storage}`;
  keyed(byId("storages", HTMLElement), overview.storages, keyOf, newCard, storage);
  clients(overview);
}

/** @param {Overview} overview */
function alarm({ guard, upstreams }) {
  // One that is stopped is being closed by a reload, or with the proxy.
  const fine = ["listening", "starting", "stopped"];
  const bad = upstreams.filter(({ state }) => !fine.includes(state));
  const said = bad.map(({ name, state }) => `${name} is ${STATES[state]}.`);
  if (guard > 0) said.push(`The guard refused ${counted(guard, "invalidation")}: this is a bug of the proxy.`);
  const place = byId("alarm", HTMLElement);
  setText(place, said.join(" "));
  place.hidden = said.length === 0;
}

/**
 * That nothing is repaired where somebody only observes.
 * @param {Overview} overview
 */
function observing({ upstreams }) {
  const names = upstreams.filter(({ repair }) => repair === "observe").map(({ name }) => name);
  const place = byId("observing", HTMLElement);
  const what = "clients are told what the server tells, and what would be repaired is shown here.";
  setText(place, names.length === 0 ? "" : `Nothing is repaired at ${names.join(", ")} (repair: observe): ${what}`);
  place.hidden = names.length === 0;
}

/**
 * @param {UpstreamView} upstream
 * @returns {["good" | "fine" | "bad", string]}
 */
function stateOf({ repair, state }) {
  if (state !== "listening") return ["bad", STATES[state]];
  return repair === "on" ? ["good", STATES[state]] : ["fine", `${STATES[state]}, observes only: nothing is repaired`];
}

/** @param {Overview} overview */
function totals({ storages, upstreams, repaired, wouldRepair, resumed, tooOld, ended, observed }) {
  const sum = (/** @type {readonly number[]} */ numbers) => numbers.reduce((all, one) => all + one, 0);
  // What some clients of a server do is foreign to those that are observed beside them.
  const apart = storages.filter(({ isObserved }) => !isObserved);
  const others = apart.length > 0 ? apart : storages;
  const foreign = sum(others.map((one) => one.foreign));
  const read = sum(others.map((one) => one.read));
  const observes = wouldRepair > 0 || upstreams.some(({ repair }) => repair === "observe");
  /** @type {readonly [name: string, value: number, more: string][]} */
  const all = [
    ["Clients now", sum(upstreams.map(({ clients: now }) => now)), ""],
    ["Commits", sum(storages.map(({ commits }) => commits)), ""],
    ["Repaired", repaired, ""],
    ...(observes ? [would("Would be repaired", wouldRepair)] : []),
    ["Not through here", foreign, foreign === 0 ? "" : `${count(read)} of them read`],
    ["Resumes repaired", resumed, ""],
    ["Resumes answered None", tooOld, ""],
    [
      "Sessions ended",
      sum(Object.values(ended)),
      Object.entries(ended)
        .map(([code, n]) => `${code} ${count(n)}`)
        .join(", "),
    ],
    ...(observes
      ? [would("Resumes to be repaired", observed.resumed), would("Sessions to be ended", observed.ended)]
      : []),
  ];
  const make = () => element("li", {}, [element("span"), element("strong"), element("small")]);
  keyed(
    byId("totals", HTMLElement),
    all,
    ([name]) => name,
    make,
    (item, [name, value, more]) => {
      const [label, number, small] = item.children;
      if (label !== undefined) setText(label, name);
      if (number !== undefined) setText(number, count(value));
      if (small !== undefined) setText(small, more);
    },
  );
}

/**
 * What was not done.
 * @param {string} name
 * @param {number} value
 * @returns {[string, number, string]}
 */
function would(name, value) {
  return [name, value, "observed only"];
}

/** @param {UpstreamView} upstream */
function upstreamFacts({ accepted, addresses, clients: now, listen, observed, protocols, repair, server, unrepaired }) {
  const { observe: _, ...others } = unrepaired;
  const list = (/** @type {Readonly<Record<string, number>>} */ counts) =>
    Object.entries(counts)
      .map(([name, n]) => `${name} × ${count(n)}`)
      .join(", ");
  return {
    Listens: listen ?? "not yet",
    Server: server,
    // One that is the server's own says nothing new.
    Reached: addresses.length > 1 ? addresses.join(", ") : undefined,
    Clients: `${count(now)} now, ${count(accepted)} so far`,
    Protocols: list(protocols) || "no client",
    Repair: repair === "on" && observed === 0 ? undefined : `${repair}; ${counted(observed, "client")} observed now`,
    "Not repaired": list(others) || undefined,
  };
}

/**
 * @param {StorageView} storage
 * @returns {["good" | "fine" | "unknown", string]}
 */
function patched({ evidence, patched: is }) {
  if (is === "yes") return ["good", "the server behaves patched: its messages name created objects"];
  if (is === "unknown")
    return ["unknown", "not known yet whether the server is patched: nobody was told of created objects so far"];
  const why = evidence === null ? "" : `, ${counted(evidence.created, "object")} of ${evidence.tid} last`;
  return ["fine", `the server is not patched: it leaves created objects out${why}`];
}

/** @param {StorageView} storage */
function storageFacts(storage) {
  const {
    commits,
    family,
    finishing,
    foreign,
    historyBytes,
    historyTransactions,
    known,
    reach,
    read,
    server,
    setbacks,
    witness,
  } = storage;
  return {
    Server: `${server}, ${family === "old" ? "ZEO 4 or older" : "ZEO 5 or newer"}`,
    Witness: WITNESSES[witness],
    Commits: `${count(commits)}${finishing > 0 ? `, ${count(finishing)} finishing now` : ""}`,
    "Not through here": foreign > 0 ? `${count(foreign)}, ${count(read)} of them read` : undefined,
    "Last transaction": /^0*$/.test(known) ? "none yet" : `${known}, ${date(tidTime(known))}`,
    History: `${counted(historyTransactions, "transaction")}, ${size(historyBytes)}`,
    "Reaches back to": reach === null || /^0*$/.test(reach) ? undefined : date(tidTime(reach)),
    Setbacks: setbacks > 0 ? `${count(setbacks)}: the last transaction was older than a known one` : undefined,
  };
}

/** @param {Overview} overview */
function clients({ clients: all, moreClients }) {
  /** @type {(card: HTMLElement, client: ClientView) => void} */
  const fill = (card, one) => {
    head(card, one.client, one.life === "relayed" && !one.isObserved ? "bad" : "plain", lifeOf(one));
    facts(card, {
      Upstream: one.upstream,
      Protocol: one.protocol ?? "not known",
      Storage: one.storage ?? undefined,
      Connected: duration(one.ageMs),
      Traffic: `${size(one.fromClient)} from it, ${size(one.fromServer)} from its server`,
      Waits: waitsOf(one),
    });
  };
  keyed(byId("clients", HTMLElement), all, ({ client, upstream }) => `${upstream} ${client}`, newCard, fill);
  const more = byId("more-clients", HTMLElement);
  setText(
    more,
    all.length === 0
      ? "Nobody is connected."
      : moreClients > 0
        ? `And ${count(moreClients)} more: these are those for whom most waits, then the oldest.`
        : "",
  );
  more.hidden = more.textContent === "";
}

/** @param {ClientView} client */
function lifeOf({ isObserved, life }) {
  if (isObserved) return "observed: relayed byte for byte";
  return life === "relayed" ? "relayed byte for byte, not repaired" : life;
}

/** @param {ClientView} client */
function waitsOf({ isFinishing, openCalls, waiting }) {
  const said = [
    waiting > 0 ? `${size(waiting)} for it` : "",
    openCalls > 0 ? counted(openCalls, "reply", "replies") : "",
    isFinishing ? "a commit that is finishing" : "",
  ].filter((one) => one !== "");
  return said.length === 0 ? "nothing" : said.join(", ");
}

function newCard() {
  const title = element("h3", {}, [element("span"), element("span", { class: "state" })]);
  return element("li", {}, [title, element("dl")]);
}

/**
 * @param {HTMLElement} card
 * @param {string} name
 * @param {string} sort
 * @param {string} state
 */
function head(card, name, sort, state) {
  const [title, said] = card.firstElementChild?.children ?? [];
  if (title !== undefined) setText(title, name);
  if (!(said instanceof HTMLElement)) return;
  setText(said, state);
  said.dataset["sort"] = sort;
}

/**
 * @param {HTMLElement} card
 * @param {Readonly<Record<string, string | undefined>>} given
 */
function facts(card, given) {
  const list = card.lastElementChild;
  if (list instanceof HTMLElement) setFacts(list, given);
}

import { byId, element, setFacts } from "./dom.js";
import { count, counted, date, duration } from "./format.js";
import { linkOf, repairOf, sourceOf } from "./table.js";

/** @typedef {import("../messages.ts").TransactionView} TransactionView */
/** @typedef {import("../messages.ts").Found} Found */
/** @typedef {import("../messages.ts").Row} Row */

/** The one that was asked for last: an older answer that comes later is not shown. */
let asked = 0;

/** Shows what the address of the page names behind its `#`. */
export async function showPlace() {
  const [, place = "", ...rest] = location.hash.split("/");
  const words = rest.map((word) => decoded(word));
  const number = ++asked;
  const overview = byId("overview", HTMLElement);
  const lookup = byId("lookup", HTMLElement);
  const isLookup = place === "transaction" || place === "search";
  overview.hidden = isLookup;
  lookup.hidden = !isLookup;
  document.title = "zeo-proxy";
  if (!isLookup) return;
  const [title, body] = place === "transaction" ? await transaction(words) : await search(words[0] ?? "");
  if (number !== asked) return;
  const heading = byId("lookup-heading", HTMLElement);
  heading.textContent = title;
  document.title = `${title} – zeo-proxy`;
  byId("lookup-body", HTMLElement).replaceChildren(...body);
  heading.focus();
}

/** @param {string} word */
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return word;
  }
}

/**
 * @param {readonly string[]} words
 * @returns {Promise<[string, Node[]]>}
 */
async function transaction([tid = "", upstream = "", storage = ""]) {
  const title = `Transaction ${tid}`;
  const answer = await ask(`/transaction.json?${new URLSearchParams({ tid, upstream, storage })}`);
  if (answer === undefined)
    return [title, [said("It is not among those that are kept, or the proxy can't be reached.")]];
  return [title, transactionBody(/** @type {TransactionView} */ (answer))];
}

/** @param {TransactionView} view */
function transactionBody(view) {
  const { added, clients, isObserved, objects, oids, repair, toldMs } = view;
  const list = element("dl", { class: "facts" });
  /** @param {number | null} value */
  const known = (value) => (value === null ? "not known" : count(value));
  setFacts(list, {
    Time: date(view.timeMs),
    Upstream: view.upstream,
    Storage: view.storage,
    "Committed by":
      view.source === "foreign" ? "somebody who is no client here: read from the storage" : sourceOf(view),
    Objects: known(objects),
    Created: known(view.created),
    Modified: known(view.modified),
    Restored: known(view.restored),
    Deleted: known(view.deleted),
    Repair: repair === "none" ? "none was needed so far" : repairText(repair, added, clients, isObserved),
    "All told": toldMs === null || isObserved ? undefined : `${duration(toldMs)} after it had settled`,
  });
  if (oids.length === 0) return [list, said("Which objects it has changed is not known.")];
  const rest = (objects ?? oids.length) - oids.length;
  const caption = rest > 0 ? `The lowest ${count(oids.length)} oids, of ${count(objects ?? 0)}` : "Its oids";
  const rows = oids.map(({ oid, sort, isAdded }) =>
    element("tr", {}, [
      element("td", { class: "tid" }, [element("a", { href: `#/search/${oid}` }, [oid])]),
      element("td", {}, [sort]),
      element("td", {}, [isAdded ? (isObserved ? "would be added" : "added by the proxy") : ""]),
    ]),
  );
  return [list, table(caption, ["Oid", "What", "Repair"], rows)];
}

/**
 * @param {"completed" | "synthesized"} repair
 * @param {number} added
 * @param {number} clients
 * @param {boolean} isObserved
 */
function repairText(repair, added, clients, isObserved) {
  if (isObserved) {
    const would = repair === "completed" ? "the server's message would be completed" : "a message would be made";
    return `${would} for ${counted(clients, "client")}, with ${counted(added, "oid")} that it did not name; the upstream only observes`;
  }
  const how =
    repair === "completed" ? "the server's message was completed" : "a message that the server never sent was made";
  return `${how} for ${counted(clients, "client")}, with ${counted(added, "oid")} that it did not name`;
}

/**
 * @param {string} query
 * @returns {Promise<[string, Node[]]>}
 */
async function search(query) {
  const title = `Search for ${query}`;
  const answer = await ask(`/search.json?${new URLSearchParams({ q: query })}`);
  if (answer === undefined) return [title, [said("The proxy can't be reached.")]];
  const { id, isCut, rows, uncertain } = /** @type {Found} */ (answer);
  if (id === null) return [title, [said("An oid or a tid has up to 16 hexadecimal digits, with or without 0x.")]];
  const body = [];
  if (rows.length === 0)
    body.push(said(`None of the transactions that are kept has the tid ${id} or has changed the object ${id}.`));
  else {
    const caption = `${counted(rows.length, "transaction")}${isCut ? ", and more" : ""}, newest first`;
    body.push(table(caption, ["Time", "Tid", "Source", "Objects", "Created", "Repair"], rows.map(foundRow)));
  }
  if (uncertain > 0) body.push(said(`Of ${counted(uncertain, "other transaction")} not all oids are kept.`));
  return [title, body];
}

/** @param {Row} row */
function foundRow(row) {
  return element("tr", {}, [
    element("td", {}, [date(row.timeMs)]),
    element("td", { class: "tid" }, [element("a", { href: linkOf(row) }, [row.tid])]),
    element("td", {}, [sourceOf(row)]),
    element("td", { class: "number" }, [row.objects === null ? "?" : count(row.objects)]),
    element("td", { class: "number" }, [row.created === null ? "?" : count(row.created)]),
    element("td", {}, [repairOf(row).join("")]),
  ]);
}

/**
 * @param {string} caption
 * @param {readonly string[]} columns
 * @param {readonly HTMLElement[]} rows
 */
function table(caption, columns, rows) {
  const head = element(
    "tr",
    {},
    columns.map((name) => element("th", { scope: "col" }, [name])),
  );
  const made = element("table", {}, [
    element("caption", {}, [caption]),
    element("thead", {}, [head]),
    element("tbody", {}, rows),
  ]);
  return element("div", { class: "beside", tabindex: 0, role: "region", "aria-label": caption }, [made]);
}

/** @param {string} text */
function said(text) {
  return element("p", {}, [text]);
}

/**
 * @param {string} path
 * @returns {Promise<unknown>} undefined: there is no such thing
 */
async function ask(path) {
  try {
    const response = await fetch(path);
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

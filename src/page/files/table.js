import { byId, element, setText } from "./dom.js";
import { count, time } from "./format.js";

/** @typedef {import("../messages.ts").Row} Row */
/** @typedef {import("./rows.js").Rows} Rows */

/** So many rows beyond what is seen are drawn on each side. */
const BEYOND = 8;

/**
 * The live table. Of thousands of rows only those are drawn that are seen; where the reader has scrolled away from the newest, or
 * is at one with the keyboard, what is seen stays where it is.
 */
export class Table {
  #scroller = byId("scroller", HTMLElement);
  #table = byId("transactions", HTMLTableElement);
  #pause = byId("pause", HTMLButtonElement);
  #newest = byId("newest", HTMLButtonElement);
  #count = byId("count", HTMLElement);
  #body = /** @type {HTMLTableSectionElement} */ (this.#table.tBodies[0]);
  #above = spacer();
  #below = spacer();
  #rows;
  /** Drawn rows by id. @type {Map<number, HTMLTableRowElement>} */
  #drawn = new Map();
  /** What is shown ends before this id: behind what is kept while it is paused. */
  #next = 0;
  #isPaused = false;
  #isPlanned = false;
  #height = 0;

  /** @param {Rows} rows */
  constructor(rows) {
    this.#rows = rows;
    this.#body.append(this.#above, this.#below);
    this.#scroller.addEventListener("scroll", () => this.#plan(), { passive: true });
    this.#scroller.addEventListener("keydown", (event) => this.#key(event));
    this.#pause.addEventListener("click", () => this.#setPaused(!this.#isPaused));
    this.#newest.addEventListener("click", () => {
      this.#setPaused(false);
      this.#scroller.scrollTop = 0;
      this.#scroller.focus();
    });
    new ResizeObserver(() => {
      this.#height = 0;
      this.#plan();
    }).observe(this.#scroller);
  }

  /** Rows have come or changed. */
  changed() {
    this.#plan();
  }

  /** There are none any more. */
  clear() {
    this.#next = 0;
    for (const row of this.#drawn.values()) row.remove();
    this.#drawn.clear();
    this.#plan();
  }

  /** @param {boolean} isPaused */
  #setPaused(isPaused) {
    this.#isPaused = isPaused;
    this.#pause.setAttribute("aria-pressed", String(isPaused));
    this.#plan();
  }

  #plan() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    requestAnimationFrame(() => {
      this.#isPlanned = false;
      this.#draw();
    });
  }

  get #rowHeight() {
    if (this.#height === 0) {
      const height = getComputedStyle(this.#table).getPropertyValue("--row");
      this.#height = Number.parseFloat(height) || 32;
    }
    return this.#height;
  }

  #draw() {
    performance.mark("draw");
    this.#advance();
    const length = this.#length;
    const height = this.#rowHeight;
    const { clientHeight, scrollTop } = this.#scroller;
    const from = Math.max(0, Math.min(length, Math.floor(scrollTop / height) - BEYOND));
    const to = Math.min(length, Math.ceil((scrollTop + clientHeight) / height) + BEYOND);
    this.#table.setAttribute("aria-rowcount", String(length + 1));
    const newest = this.#next - 1;
    const kept = this.#focused;
    for (const [id, row] of this.#drawn) {
      const at = newest - id;
      if (at >= from && at < to) continue;
      // Whose link has the focus has lost its place: the focus goes to the table, not to nowhere.
      if (id === kept) this.#scroller.focus({ preventScroll: true });
      row.remove();
      this.#drawn.delete(id);
    }
    /** @type {Element | null} */
    let next = this.#above.nextElementSibling;
    for (let at = from; at < to; at++) {
      const id = newest - at;
      let row = this.#drawn.get(id);
      if (row === undefined) this.#drawn.set(id, (row = emptyRow()));
      fill(row, this.#rows.get(id), at + 2);
      if (row === next) next = next.nextElementSibling;
      else this.#body.insertBefore(row, next);
    }
    setHeight(this.#above, from * height);
    setHeight(this.#below, (length - to) * height);
    this.#tellCount();
    performance.measure("draw", "draw");
  }

  get #length() {
    return Math.max(0, this.#next - this.#rows.first);
  }

  /** Goes on to the newest, unless somebody looks at a place. */
  #advance() {
    const { next } = this.#rows;
    if (this.#isPaused || this.#next === next) return;
    const more = next - this.#next;
    const isAway = this.#next > 0 && (this.#scroller.scrollTop > 0 || this.#focused !== undefined);
    this.#next = next;
    if (!isAway) return;
    setHeight(this.#above, (this.#above.offsetHeight || 0) + more * this.#rowHeight);
    this.#scroller.scrollTop += more * this.#rowHeight;
  }

  #tellCount() {
    const { next, first } = this.#rows;
    const behind = next - this.#next;
    const all = `${count(next - first)} kept`;
    setText(this.#count, behind > 0 ? `${all}, ${count(behind)} newer ones since the pause` : all);
    this.#newest.hidden = behind === 0 && this.#scroller.scrollTop === 0;
  }

  // --- keyboard ---------------------------------------------------------------------------------------------------

  /** The id of the row whose link has the focus. */
  get #focused() {
    const row = document.activeElement?.closest("tr");
    const id = row?.dataset["id"];
    return row !== null && row !== undefined && this.#body.contains(row) && id !== undefined ? Number(id) : undefined;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const newest = this.#next - 1;
    const at = this.#focused ?? newest + 1;
    const to = this.#target(event.key, at, newest);
    if (to === undefined || this.#length === 0) return;
    event.preventDefault();
    this.#goTo(Math.max(this.#rows.first, Math.min(newest, to)));
  }

  /**
   * @param {string} key
   * @param {number} at
   * @param {number} newest
   */
  #target(key, at, newest) {
    const page = Math.max(1, Math.floor(this.#scroller.clientHeight / this.#rowHeight) - 2);
    switch (key) {
      case "ArrowDown":
        return at - 1;
      case "ArrowUp":
        return at + 1;
      case "PageDown":
        return at - page;
      case "PageUp":
        return at + page;
      case "Home":
        return newest;
      case "End":
        return this.#rows.first;
      default:
        return undefined;
    }
  }

  /** @param {number} id */
  #goTo(id) {
    const height = this.#rowHeight;
    const head = this.#table.tHead?.offsetHeight ?? 0;
    const top = (this.#next - 1 - id) * height;
    const { clientHeight, scrollTop } = this.#scroller;
    if (top < scrollTop) this.#scroller.scrollTop = top;
    else if (top + height + head > scrollTop + clientHeight)
      this.#scroller.scrollTop = top + height + head - clientHeight;
    this.#draw();
    this.#drawn.get(id)?.querySelector("a")?.focus({ preventScroll: true });
  }
}

function spacer() {
  return element("tr", { class: "spacer", "aria-hidden": "true" }, [element("td", { colspan: 9 })]);
}

/**
 * @param {HTMLTableRowElement} row
 * @param {number} height in pixels
 */
function setHeight(row, height) {
  row.hidden = height <= 0;
  row.style.height = `${Math.max(0, height)}px`;
}

const COLUMNS = ["time", "tid", "wide", "number wide", "number", "number wide", "number wide", "number wide", "repair"];

function emptyRow() {
  const cells = COLUMNS.map((name) => element("td", { class: name }));
  const [at, tid] = cells;
  tid?.append(element("a"));
  at?.append(element("span"), element("span", { class: "exact" }));
  cells.at(-1)?.append(element("span", { class: "exact" }), element("span"));
  return element("tr", {}, cells);
}

/**
 * @param {HTMLTableRowElement} tr
 * @param {Row | undefined} row undefined: it has not come yet
 * @param {number} index
 */
function fill(tr, row, index) {
  tr.setAttribute("aria-rowindex", String(index));
  if (row === undefined) return;
  const [at, tid, source, objects, created, modified, restored, deleted, repair] = tr.cells;
  const link = tid?.firstElementChild;
  if (!(link instanceof HTMLAnchorElement) || at === undefined || source === undefined || repair === undefined) return;
  tr.dataset["id"] = String(row.id);
  setHalves(at, ...time(row.timeMs));
  if (link.textContent !== row.tid) {
    link.textContent = row.tid;
    link.href = linkOf(row);
  }
  setText(source, sourceOf(row));
  setCount(objects, row.objects);
  setCount(created, row.created);
  setCount(modified, row.modified);
  setCount(restored, row.restored);
  setCount(deleted, row.deleted);
  setHalves(repair, ...repairOf(row));
  repair.dataset["repair"] = row.repair;
  repair.dataset["observed"] = String(row.isObserved);
}

/**
 * One of them is not shown where there is no room.
 * @param {HTMLTableCellElement} cell
 * @param {string} first
 * @param {string} second
 */
function setHalves(cell, first, second) {
  const [one, other] = cell.children;
  if (one !== undefined) setText(one, first);
  if (other !== undefined) setText(other, second);
}

/**
 * @param {HTMLTableCellElement | undefined} cell
 * @param {number | null} value
 */
function setCount(cell, value) {
  if (cell !== undefined) setText(cell, value === null ? "?" : value === 0 ? "" : count(value));
}

/** @param {Row} row */
export function sourceOf({ source, client }) {
  return source === "foreign" ? "not through here" : (client ?? "a client that has left");
}

/**
 * How, and how much.
 * @param {Row} row
 * @returns {[string, string]}
 */
export function repairOf({ repair, added, isObserved }) {
  if (repair === "none") return ["", ""];
  const how = repair === "synthesized" ? "made " : "completed ";
  // Where only the second half is shown the brackets say it.
  return isObserved ? [`would be ${how}`, `(+${count(added)})`] : [how, `+${count(added)}`];
}

/** @param {Pick<Row, "tid" | "upstream" | "storage">} row */
export function linkOf({ tid, upstream, storage }) {
  return `#/transaction/${tid}/${encodeURIComponent(upstream)}/${encodeURIComponent(storage)}`;
}

/** @typedef {import("../messages.ts").Row} Row */
/** @typedef {import("../messages.ts").Rows} Told */

/**
 * The transactions that are kept, by id. Some of those between may not have come yet.
 */
export class Rows {
  /** @type {Map<number, Row>} */
  #rows = new Map();
  first = 0;
  next = 0;

  /** So many are between the oldest and the newest. */
  get length() {
    return this.next - this.first;
  }

  /** So many have come. */
  get size() {
    return this.#rows.size;
  }

  clear() {
    this.#rows.clear();
    this.first = this.next = 0;
  }

  /** @param {Told} told */
  add({ first, next, rows }) {
    for (let id = this.first; id < first; id++) this.#rows.delete(id);
    this.first = first;
    this.next = next;
    for (const row of rows) if (row.id >= first) this.#rows.set(row.id, row);
  }

  /** @param {number} id */
  get(id) {
    return this.#rows.get(id);
  }
}

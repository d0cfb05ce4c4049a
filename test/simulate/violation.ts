/**
 * Something that must never happen. `name` is stable: the number of the invariant of docs/ordering.md, and a word; a run
 * is made smaller while it stays the same.
 */
export class Violation extends Error {
  override readonly name: string;

  constructor(name: string, text: string) {
    super(`${name}: ${text}`);
    this.name = name;
  }
}

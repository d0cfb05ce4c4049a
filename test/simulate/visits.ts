/** By name: the place that all `Visits` count it at. */
const SLOTS = new Map<string, number>();

/** Where a name is counted: looked up once, where it is counted often. */
export function slotOf(name: string): number {
  let slot = SLOTS.get(name);
  if (slot === undefined) SLOTS.set(name, (slot = SLOTS.size));
  return slot;
}

/** How often each kind of thing happened; what was declared and never happened is shown, too. */
export class Visits {
  /** By slot; -1: neither declared nor counted. */
  readonly #counts: number[] = [];
  /** Those that must not happen: no gap while they don't. */
  readonly #unwanted = new Set<string>();

  declare(names: Iterable<string>): void {
    for (const name of names) this.count(name, 0);
  }

  /** What only a fault of the subject's leads to. */
  declareUnwanted(names: Iterable<string>): void {
    for (const name of names) this.#unwanted.add(name);
  }

  count(name: string, times = 1): void {
    this.add(slotOf(name), times);
  }

  /** `slot`: from `slotOf`. */
  add(slot: number, times = 1): void {
    const counts = this.#counts;
    while (counts.length <= slot) counts.push(-1);
    const before = counts[slot] as number;
    counts[slot] = (before < 0 ? 0 : before) + times;
  }

  of(name: string): number {
    return Math.max(0, this.#counts[slotOf(name)] ?? 0);
  }

  get never(): string[] {
    return this.#all.filter(([name, times]) => times === 0 && !this.#unwanted.has(name)).map(([name]) => name);
  }

  get #all(): [string, number][] {
    return [...SLOTS].flatMap(([name, slot]): [string, number][] => {
      const times = this.#counts[slot] ?? -1;
      return times < 0 ? [] : [[name, times]];
    });
  }

  /** Lines, in groups by what stands before the colon. */
  table(): string {
    const groups = new Map<string, string[]>();
    for (const [name, times] of this.#all.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [group = "", rest = ""] = name.split(": ");
      const lines = groups.get(group) ?? [];
      lines.push(`${rest} ${times.toLocaleString("en")}`);
      groups.set(group, lines);
    }
    const lines = [...groups].map(([group, items]) => `${group.padEnd(10)} ${items.join(", ")}`);
    lines.push(`never      ${this.never.join(", ")}`);
    lines.push(`must not   ${[...this.#unwanted].map((name) => `${name} ${this.of(name)}`).join(", ")}`);
    return lines.join("\n");
  }
}

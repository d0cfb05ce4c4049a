/** How often each kind of thing happened; what was declared and never happened is shown, too. */
export class Visits {
  readonly #counts = new Map<string, number>();

  declare(names: Iterable<string>): void {
    for (const name of names) if (!this.#counts.has(name)) this.#counts.set(name, 0);
  }

  count(name: string, times = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + times);
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  get never(): string[] {
    return [...this.#counts].filter(([, times]) => times === 0).map(([name]) => name);
  }

  /** Lines, in groups by what stands before the colon. */
  table(): string {
    const groups = new Map<string, string[]>();
    for (const [name, times] of [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [group = "", rest = ""] = name.split(": ");
      const lines = groups.get(group) ?? [];
      lines.push(`${rest} ${times.toLocaleString("en")}`);
      groups.set(group, lines);
    }
    const lines = [...groups].map(([group, items]) => `${group.padEnd(10)} ${items.join(", ")}`);
    const { never } = this;
    if (never.length > 0) lines.push(`never      ${never.join(", ")}`);
    return lines.join("\n");
  }
}

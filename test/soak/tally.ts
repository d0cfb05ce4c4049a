/** So many of each kind of problem are kept in words. */
const KEPT = 5;

/** What has happened, in numbers, and what must not, in words. */
export class Tally {
  readonly #counts = new Map<string, number>();
  readonly #problems = new Map<string, string[]>();
  readonly #numbers = new Map<string, number>();
  readonly #say: (line: string) => void;

  /** `say` is told of each problem at once. */
  constructor(say: (line: string) => void = () => undefined) {
    this.#say = say;
  }

  add(name: string, count = 1): void {
    this.#counts.set(name, this.count(name) + count);
  }

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** `kind` groups them: the same words for the same thing. */
  problem(kind: string, detail = ""): void {
    this.#numbers.set(kind, (this.#numbers.get(kind) ?? 0) + 1);
    const kept = this.#problems.get(kind) ?? [];
    this.#problems.set(kind, kept);
    if (kept.length < KEPT && detail !== "" && !kept.includes(detail)) kept.push(detail);
    this.#say(`problem: ${kind}${detail === "" ? "" : `: ${detail}`}`);
  }

  get isGood(): boolean {
    return this.#numbers.size === 0;
  }

  /** One line for each kind, and some of its cases below it. */
  get problems(): string[] {
    return [...this.#numbers].flatMap(([kind, times]) => [
      times === 1 ? kind : `${kind} (${times} times)`,
      ...(this.#problems.get(kind) ?? []).map((detail) => `    ${detail}`),
    ]);
  }

  /** `name count`, in the order in which they were first counted. */
  toString(): string {
    return [...this.#counts].map(([name, count]) => `${name} ${count}`).join(", ");
  }
}

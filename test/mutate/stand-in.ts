import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  ChaiStyleAssertions,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import { fn, restoreAllMocks, spyOn } from "@vitest/spy";

/** What test files import in vitest's place: as much of it as they use. It only notes the tests. */
export interface Test {
  readonly name: string;
  readonly run: () => unknown;
}

type Body = (...values: never[]) => unknown;
/** Options stand before the body or behind it; none of them matters here. */
type Each = (rows: readonly unknown[]) => (name: string, ...rest: readonly unknown[]) => void;

const tests: Test[] = [];
const path: string[] = [];
const finished: (() => unknown)[] = [];

/** The tests of the files that were loaded since the last time. */
export function takeTests(): Test[] {
  return tests.splice(0);
}

/** Ends what a test has begun, however the test ended. */
export async function finish(): Promise<void> {
  for (const work of finished.splice(0)) await work();
  restoreAllMocks();
}

function add(name: string, run: () => unknown): void {
  const whole = [...path, name].join(" > ");
  // Names can repeat themselves, in rows for example, where their values are left out.
  const same = tests.filter((test) => test.name === whole || test.name.startsWith(`${whole} #`)).length;
  tests.push({ name: same === 0 ? whole : `${whole} #${same + 1}`, run });
}

function within(name: string, body: () => unknown): void {
  path.push(name);
  try {
    body();
  } finally {
    path.pop();
  }
}

function bodyIn(rest: readonly unknown[]): Body {
  return rest.find((one) => typeof one === "function") as Body;
}

function eachOf(note: (name: string, body: () => unknown) => void): Each {
  return (rows) =>
    (name, ...rest) => {
      const body = bodyIn(rest);
      for (const row of rows) {
        const values = Array.isArray(row) ? row : [row];
        note(name, () => body(...(values as never[])));
      }
    };
}

export const it: { (name: string, ...rest: readonly unknown[]): void; each: Each } = Object.assign(
  (name: string, ...rest: readonly unknown[]) => add(name, bodyIn(rest)),
  { each: eachOf(add) },
);
export const describe: { (name: string, ...rest: readonly unknown[]): void; each: Each } = Object.assign(
  (name: string, ...rest: readonly unknown[]) => within(name, bodyIn(rest)),
  { each: eachOf(within) },
);

export function onTestFinished(work: () => unknown): void {
  finished.push(work);
}

export const vi = { fn, spyOn };

for (const plugin of [JestExtend, JestChaiExpect, ChaiStyleAssertions, JestAsymmetricMatchers]) chai.use(plugin);
const matchers = (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT];
export const expect = Object.assign(
  (value: unknown, message?: string) => chai.expect(value, message),
  chai.expect,
  matchers,
);
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect as never);

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** Where: undefined when the configuration came from a program, line and column (from 1) when from a file. */
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  /** As in `upstreams[0].listen`; empty for the whole. */
  readonly path: string;
  /** What was expected and what was found, in words. */
  readonly message: string;
}

/** A configuration that can't be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIG";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(formatProblem).join("\n"), options);
    this.problems = problems;
  }
}

/** `FILE:LINE:COLUMN: PATH: MESSAGE`, without the parts that are not known. */
export function formatProblem(problem: ConfigProblem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(":");
  return [place, problem.path, problem.message].filter((part) => part !== "").join(": ");
}

/** `["upstreams", 0, "listen"]` as `upstreams[0].listen`. */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}

/** A value as a message shows it: short, on one line. */
export function formatValue(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "an empty value";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  // oxlint-disable-next-line typescript/no-base-to-string -- no objects are left here
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}

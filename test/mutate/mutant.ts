/** A change of the source, and what the tests said to it. */
export interface Mutant {
  readonly file: string;
  /** From 1 on. */
  readonly lineNumber: number;
  /** The line in which it begins, without indentation. */
  readonly line: string;
  /** What is replaced: its first line, if it has several. */
  readonly text: string;
  readonly becomes: string;
  readonly fate: Fate;
}

/** `survived`: no test failed. `endless`: a test didn't end. `void`: it says nothing, since it doesn't run. */
export type Fate = "killed" | "endless" | "survived" | "void";

/** Where a mutant stands, and what it is: two of the same key are the same change of two lines that are equal. */
export function keyOf({ file, line, text, becomes }: Omit<Mutant, "lineNumber" | "fate">): string {
  return JSON.stringify([file, line, text, becomes]);
}

/** As it is listed in `equivalent.ts`, where it belongs if it changes nothing that anybody could see. */
export function shown({ file, lineNumber, line, text, becomes }: Mutant): string {
  return `${file}:${lineNumber}\n  ${JSON.stringify([line, text, becomes])}`;
}

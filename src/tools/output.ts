/** Where a tool writes. */
export interface Output {
  /** To standard output, as it is. */
  print(text: string): void;
  /** A line to standard error. */
  note(line: string): void;
  /** A line to standard error that the next one replaces; only where that is a terminal. Empty: none any more. */
  progress(line: string): void;
  /** Is standard output a terminal that takes colours? */
  readonly hasColours: boolean;
  /** How many characters a line has there; undefined where it is no terminal. */
  readonly columns: number | undefined;
}

const SGR = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const;
export type Colour = keyof typeof SGR;

export function paint({ hasColours }: Pick<Output, "hasColours">, colour: Colour, text: string): string {
  return hasColours && text !== "" ? `\u001b[${SGR[colour]}m${text}\u001b[0m` : text;
}

/** `1 object`, `2 objects`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

import { isComplete } from "./play.ts";
import type { Seen, Told } from "./play.ts";

/** Select Graphic Rendition codes. */
const SGR = { bold: 1, red: 31, green: 32 } as const;

const COLUMNS = [25, 24, 0] as const;

/** Lines of a table that is readable with colours and without. */
export class Table {
  readonly #colours: boolean;

  constructor(colours: boolean) {
    this.#colours = colours;
  }

  head(): string {
    const names = ["the writer", "watcher on the server", "watcher behind the proxy"];
    const line = row(names);
    return `${this.#paint("bold", line)}\n${"-".repeat(line.length)}`;
  }

  row({ title, subject, changed, direct, proxied }: Seen): string {
    const cells = [`${title} ${numbers(subject)}`.trimEnd(), cell(direct), cell(proxied)] as const;
    const [what, seen, repaired] = pad(cells);
    const colour = (told: Told): "green" | "red" => (isComplete(told, changed) ? "green" : "red");
    return `  ${what}${this.#paint(colour(direct), seen ?? "")}${this.#paint(colour(proxied), repaired ?? "")}`.trimEnd();
  }

  bold(text: string): string {
    return this.#paint("bold", text);
  }

  #paint(format: keyof typeof SGR, text: string): string {
    return this.#colours ? `\u001b[${SGR[format]}m${text}\u001b[0m` : text;
  }
}

function row(cells: readonly string[]): string {
  return `  ${pad(cells).join("")}`.trimEnd();
}

function pad(cells: readonly string[]): string[] {
  return cells.map((text, index) => text.padEnd(COLUMNS[index] ?? 0));
}

function cell(told: Told): string {
  if (told === undefined) return "no message";
  return told.length === 0 ? "message without oids" : numbers(told);
}

/** Oids as people say them. */
function numbers(oids: readonly string[]): string {
  return oids.map((oid) => BigInt(`0x${oid}`).toString()).join(" ");
}

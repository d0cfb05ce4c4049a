/** The table that a run ends with: server, client, scenario, and what the client was told of it. */

import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CACHE } from "./install.ts";

export interface Cell {
  server: string;
  client: string;
  scenario: string;
  /** Transactions that the client was told of, and that it had to be told of. */
  commits: number;
  ofCommits: number;
  oids: number;
  ofOids: number;
}

const FOLDER = join(CACHE, "matrix");

export class Matrix {
  readonly server: string;
  readonly #cells = new Map<string, Cell>();

  constructor(server: string) {
    this.server = server;
  }

  cell(client: string, scenario: string): Cell {
    const key = `${client} ${scenario}`;
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = { server: this.server, client, scenario, commits: 0, ofCommits: 0, oids: 0, ofOids: 0 };
      this.#cells.set(key, cell);
    }
    return cell;
  }

  get cells(): Cell[] {
    return [...this.#cells.values()];
  }

  /** Keeps the cells for the table at the end of the run. */
  async save(): Promise<void> {
    await mkdir(FOLDER, { recursive: true });
    await writeFile(join(FOLDER, `${this.server}.json`), JSON.stringify(this.cells));
  }
}

export async function clearMatrix(): Promise<void> {
  await rm(FOLDER, { recursive: true, force: true });
}

export async function savedCells(): Promise<Cell[]> {
  const names = await readdir(FOLDER).catch(() => []);
  const texts = await Promise.all(names.sort().map((name) => readFile(join(FOLDER, name), "utf8")));
  return texts.flatMap((text) => JSON.parse(text) as Cell[]);
}

/** One table for each server: a line for each scenario, a column for each client, `commits/of oids/of` in it. */
export function printed(cells: readonly Cell[]): string {
  const lines: string[] = [];
  for (const server of unique(cells.map((cell) => cell.server))) {
    const here = cells.filter((cell) => cell.server === server);
    const clients = unique(here.map((cell) => cell.client));
    const width = 24;
    lines.push("", `server ${server}: commits told/committed, oids told/written`);
    lines.push(`${"".padEnd(36)}${clients.map((client) => client.padEnd(width)).join("")}`);
    for (const scenario of unique(here.map((cell) => cell.scenario))) {
      const columns = clients.map((client) => {
        const cell = here.find((c) => c.client === client && c.scenario === scenario);
        return (cell === undefined ? "-" : counts(cell)).padEnd(width);
      });
      lines.push(`${scenario.padEnd(36)}${columns.join("")}`);
    }
    const totals = clients.map((client) => {
      const sum: Cell = { server, client, scenario: "", commits: 0, ofCommits: 0, oids: 0, ofOids: 0 };
      for (const cell of here.filter((c) => c.client === client)) {
        sum.commits += cell.commits;
        sum.ofCommits += cell.ofCommits;
        sum.oids += cell.oids;
        sum.ofOids += cell.ofOids;
      }
      return counts(sum).padEnd(width);
    });
    lines.push(`${"in all".padEnd(36)}${totals.join("")}`);
  }
  return lines.join("\n");
}

function counts(cell: Cell): string {
  return `${cell.commits}/${cell.ofCommits} ${cell.oids}/${cell.ofOids}`;
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}

import { onTestFinished } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer, type EmbeddedServerOptions } from "../../src/embedded/server.ts";
import type { Output } from "../../src/tools/output.ts";
import type { Target } from "../../src/tools/target.ts";
import { Heard } from "./patience.ts";

/** An embedded server until the test ends. */
export async function serve(options: EmbeddedServerOptions = {}): Promise<EmbeddedServer> {
  const server = new EmbeddedServer(options);
  await server.start();
  onTestFinished(() => server.close());
  return server;
}

/** Somebody who commits there. */
export async function committing({ port }: { port: number }): Promise<ClientCommit> {
  const client = await EmbeddedClient.connect({ port });
  onTestFinished(() => client.close());
  return new ClientCommit(client);
}

export function targetOf({ port }: { port: number }): Target {
  return { kind: "tcp", address: { host: "127.0.0.1", port } };
}

export const oid = (n: number): string => n.toString(16).padStart(16, "0");

/** What a tool writes, as it comes. */
export class Written implements Output {
  /** What goes to standard output, write by write. */
  readonly printed = new Heard<string>();
  readonly notes = new Heard<string>();
  readonly progressed: string[] = [];
  readonly hasColours: boolean;
  readonly columns: number | undefined;

  constructor(hasColours = false, columns?: number) {
    this.hasColours = hasColours;
    this.columns = columns;
  }

  print(text: string): void {
    this.printed.add(text);
  }

  note(line: string): void {
    this.notes.add(line);
  }

  progress(line: string): void {
    this.progressed.push(line);
  }

  /** All of standard output. */
  get text(): string {
    return this.printed.all.join("");
  }

  /** Each printed line as JSON. */
  get values(): Record<string, unknown>[] {
    return this.text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

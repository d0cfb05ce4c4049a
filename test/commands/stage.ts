import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import type { EmbeddedServer } from "../../src/embedded/server.ts";
import type { CommandProcess, Line } from "./command.ts";
import { killRest, zeoProxy } from "./command.ts";

/** The command before a server, and its clients. */
export interface Stage {
  readonly command: CommandProcess;
  /** The proxy's. */
  readonly port: number;
  readonly join: () => Promise<EmbeddedClient>;
}

const closing: (() => unknown)[] = [];

/** Runs when the test leaves, last first. */
export function atEnd(close: () => unknown): void {
  closing.push(close);
}

/** A file with this text, until the test leaves. */
export function configFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-stage-"));
  atEnd(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "zeo-proxy.yaml");
  writeFileSync(file, text);
  return file;
}

/** Clients that no machine has too few descriptors for: that would be warned of. */
const FEW = "limits: { clients: 100 }";

/** Starts the server and the command before it, with these lines of configuration. */
export async function enter(server: EmbeddedServer, options = ""): Promise<Stage> {
  await server.start();
  atEnd(() => server.close());
  const limits = options.startsWith("limits:") ? "" : FEW;
  const upstream = `{ name: main, listen: 127.0.0.1:0, server: 127.0.0.1:${server.port} }`;
  const command = zeoProxy(["run", "--config", configFile(`upstreams: [${upstream}]\n${limits}\n${options}\n`)]);
  const { address } = await command.line(({ msg }) => msg === "listening", "listening");
  const port = Number(String(address).split(":")[1]);
  const joinProxy = async (): Promise<EmbeddedClient> => {
    const client = await EmbeddedClient.connect({ port });
    atEnd(() => client.close());
    return client;
  };
  return { command, port, join: joinProxy };
}

/** Ends all that the test started. */
export async function leave(): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- last first
  for (const close of closing.splice(0).toReversed()) await close();
  killRest();
}

/** Stops the command, which must succeed; all lines of its log. */
export async function stopped(command: CommandProcess): Promise<readonly Line[]> {
  command.signal("SIGTERM");
  expect((await command.ended()).status).toBe(0);
  return command.lines;
}

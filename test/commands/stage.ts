import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
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

/** The command with a configuration that a test rewrites. */
export interface Reread {
  readonly command: CommandProcess;
  readonly file: string;
  /** Sends SIGHUP; the first line of that sort behind it, by default that all is in force. */
  readonly hangUp: (msg?: string) => Promise<Line>;
}

export const IN_FORCE = "the configuration is in force";

/** Starts the command with that text as its configuration; resolves when so many upstreams listen. */
export async function reread(text: string, listening = 1, ...rest: Parameters<typeof zeoProxy>[1][]): Promise<Reread> {
  const file = configFile(text);
  const command = zeoProxy(["run", "--config", file], ...rest);
  let count = 0;
  await command.line(({ msg }) => msg === "listening" && ++count === listening, "listening");
  const hangUp = (msg = IN_FORCE): Promise<Line> => {
    const seen = command.lines.length;
    command.signal("SIGHUP");
    return command.until(() => command.lines.slice(seen).find((line) => line["msg"] === msg), msg);
  };
  return { command, file, hangUp };
}

/** A server until the test leaves. */
export async function served(server: EmbeddedServer): Promise<EmbeddedServer> {
  await server.start();
  atEnd(() => server.close());
  return server;
}

/** A client until the test leaves. */
export async function joins(
  port: number,
  options: Partial<Parameters<typeof EmbeddedClient.connect>[0]> = {},
): Promise<EmbeddedClient> {
  const client = await EmbeddedClient.connect({ port, ...options });
  atEnd(() => client.close());
  return client;
}

/** That one commits a new object, and that one is told of it. */
export async function commits(writer: EmbeddedClient, n: number, watcher: EmbeddedClient): Promise<void> {
  const oid = n.toString(16).padStart(16, "0");
  const tid = await new ClientCommit(writer).commit({ create: [oid] });
  expect((await watcher.invalidation(tid)).oids).toEqual([oid]);
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

import { readFileSync, writeFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { dialTarget } from "../../src/tools/dial.ts";
import { Visitor } from "../admin/visitor.ts";
import { copies, fixture, type Copies } from "../net/certificates.ts";
import { freePort } from "../net/free-port.ts";
import { atEnd, commits, IN_FORCE, joins, leave, reread, served, stopped } from "./stage.ts";

// Certificates and the admin address's token, renewed by a SIGHUP.

afterEach(leave);

const CA = readFileSync(fixture("ca.pem"));
const WRONG = "the configuration is wrong: nothing is changed";

let files: Copies;
beforeEach(() => {
  const made = copies();
  files = made;
  atEnd(() => made.remove());
});

const pair = (name: string, as: string) => [files.of(`${name}.pem`, `${as}.pem`), files.of(`${name}.key`, `${as}.key`)];

async function secure(port: number): Promise<{ readonly client: EmbeddedClient; readonly shown: string | undefined }> {
  const target = { kind: "tcp", address: { host: "127.0.0.1", port } } as const;
  const dialling = dialTarget(target, { ca: CA, verify: true });
  const client = await joins(port, { dial: () => dialling });
  return { client, shown: (dialling.socket as TLSSocket).getPeerX509Certificate()?.subject };
}

it("clients that come behind it see the new certificate; one that is connected stays, and commits", async () => {
  const server = await served(new EmbeddedServer({ protocol: "Z5" }));
  const port = await freePort();
  const [certificate, key] = pair("proxy", "own");
  const upstream = (rest = "") =>
    `upstreams:\n  - name: main\n    listen: 127.0.0.1:${port}\n    server: 127.0.0.1:${server.port}\n` +
    `    tls:\n      certificate: ${certificate}\n      key: ${key}\n${rest}limits: { clients: 100 }\n`;
  const { command, file, hangUp } = await reread(upstream());
  const [writer, watcher] = [await secure(port), await secure(port)];
  expect(writer.shown).toBe("CN=proxy.example");
  pair("zeo", "own");
  expect(await hangUp()).toMatchObject({ level: "info", reopened: [], opened: [], closed: [] });
  const newcomer = await secure(port);
  expect(newcomer.shown).toBe("CN=zeo.example");
  await commits(writer.client, 1, watcher.client);
  await commits(newcomer.client, 2, writer.client);
  // A key of another certificate's, and what else that file changes.
  files.of("proxy.key", "own.key");
  writeFileSync(file, upstream("    allow: [192.0.2.1]\n"));
  const line = await hangUp(WRONG);
  expect(line).toMatchObject({ level: "error", count: 1 });
  expect(line["problems"]).toEqual([
    expect.stringMatching(/zeo-proxy\.yaml:[67]:\d+: upstreams\[0\]\.tls\.(?:key|certificate): /),
  ]);
  const still = await secure(port);
  expect(still.shown).toBe("CN=zeo.example");
  await commits(writer.client, 3, still.client);
  // The next good one.
  files.of("proxy.pem", "own.pem");
  writeFileSync(file, upstream(`    deny: ["192.0.2.1"]\n`));
  await hangUp();
  expect((await secure(port)).shown).toBe("CN=proxy.example");
  await commits(writer.client, 4, watcher.client);
  const lines = await stopped(command);
  expect(lines.filter(({ level }) => level === "warn" || level === "fatal")).toEqual([]);
});

it("whoever asks shows the new token; another admin address needs a restart, and leaves the token as it is", async () => {
  const server = await served(new EmbeddedServer());
  const [port, at, elsewhere] = [await freePort(), await freePort(), await freePort()];
  const [first, second] = ["first-0123456789abcdef0123456789abcdef", "second-0123456789abcdef0123456789abcdef"];
  const token = files.of("proxy.key", "token");
  const text = (listen: number, rest = "") =>
    `upstreams: [{ name: main, listen: "127.0.0.1:${port}", server: "127.0.0.1:${server.port}" }]\n` +
    `limits: { clients: 100 }\nadmin:\n  listen: 127.0.0.1:${listen}\n  token-file: ${token}\n${rest}`;
  writeFileSync(token, first);
  const { command, file, hangUp } = await reread(text(at));
  const asks = async (shown: string): Promise<number> => {
    const visitor = await Visitor.to(`127.0.0.1:${at}`);
    const { status } = await visitor.ask("/livez", { Authorization: `Bearer ${shown}` });
    visitor.socket.destroy();
    return status;
  };
  expect(await asks(first)).toBe(200);
  writeFileSync(token, second);
  await hangUp();
  expect([await asks(first), await asks(second)]).toEqual([401, 200]);
  writeFileSync(token, "short");
  const line = await hangUp(WRONG);
  expect(line).toMatchObject({
    count: 1,
    problems: [expect.stringContaining("admin.token-file: expected a line of 32")],
  });
  expect(JSON.stringify(line)).not.toContain('short"');
  expect(await asks(second)).toBe(200);
  writeFileSync(token, first);
  writeFileSync(file, text(elsewhere, "  hosts: [a.example]\n"));
  for (let n = 0; n < 2; n++) {
    // oxlint-disable-next-line no-await-in-loop -- each says so
    expect(await hangUp("what was changed there needs a restart")).toMatchObject({
      level: "warn",
      options: ["admin.listen", "admin.hosts"],
    });
  }
  expect([await asks(first), await asks(second)]).toEqual([401, 200]);
  await expect(Visitor.to(`127.0.0.1:${elsewhere}`)).rejects.toThrow("ECONNREFUSED");
  expect(command.lines.filter(({ msg }) => msg === IN_FORCE).at(-1)).toMatchObject({ changed: [] });
  await stopped(command);
});

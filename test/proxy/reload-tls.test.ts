import { chmodSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { TLSSocket } from "node:tls";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { ConfigError } from "../../src/index.ts";
import { dialTarget, type TlsClient } from "../../src/tools/dial.ts";
import { copies, fixture, type Copies } from "../net/certificates.ts";
import { client, commits, door, names, started, type Input } from "./reloaded.ts";
import { tlsBefore } from "./tls-server.ts";
import { embeddedServer } from "./world.ts";

// Certificates and keys are read again by each reload, whether their names have changed or not.

const CA = readFileSync(fixture("ca.pem"));

let files: Copies;
beforeEach(() => {
  files = copies();
  return () => files.remove();
});

/** Its certificate and key as files of the test's own: `as.pem` and `as.key`. */
function pair(name: string, as = name): { readonly certificate: string; readonly key: string } {
  return { certificate: files.of(`${name}.pem`, `${as}.pem`), key: files.of(`${name}.key`, `${as}.key`) };
}

/** What a client shows. */
function of(name: string): Pick<TlsClient, "certificate" | "key"> {
  return { certificate: readFileSync(fixture(`${name}.pem`)), key: readFileSync(fixture(`${name}.key`)) };
}

/** A client with TLS, and the common name that it was shown. */
async function secure(
  port: number,
  tls: Partial<TlsClient> = {},
): Promise<{ readonly client: EmbeddedClient; readonly shown: string }> {
  const target = { kind: "tcp", address: { host: "127.0.0.1", port } } as const;
  const dialling = dialTarget(target, { ca: CA, verify: true, ...tls });
  const connected = await EmbeddedClient.connect({ port, dial: () => dialling });
  onTestFinished(() => connected.destroy());
  const subject = (dialling.socket as TLSSocket).getPeerX509Certificate()?.subject ?? "";
  return { client: connected, shown: subject.replace(/^CN=/, "") };
}

function isLetIn(coming: Promise<unknown>): Promise<boolean> {
  return coming.then(
    () => true,
    () => false,
  );
}

/** Problems of the reload that is refused. */
async function problemsOf(reloaded: Promise<unknown>): Promise<string[]> {
  const error: unknown = await reloaded.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ConfigError);
  return (error as ConfigError).problems.map(({ path }) => path);
}

describe("what clients are shown", () => {
  it("is another certificate for newcomers where its files have another content; who is connected stays", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port, { tls: pair("proxy") });
    const { reload } = await started([main]);
    const [writer, watcher] = [await secure(main.port), await secure(main.port)];
    expect(writer.shown).toBe("proxy.example");
    pair("zeo", "proxy");
    // Until then it is as it was.
    expect((await secure(main.port)).shown).toBe("proxy.example");
    expect(await reload([main])).toMatchObject({ reopened: [], needRestart: [] });
    const newcomer = await secure(main.port);
    expect(newcomer.shown).toBe("zeo.example");
    await commits(writer.client, 1, watcher.client);
    await commits(newcomer.client, 2, writer.client);
    expect([writer.client.closed, watcher.client.closed]).toEqual([false, false]);
  });

  it("is another one where the configuration names other files", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port, { tls: pair("proxy") });
    const { proxy, reload } = await started([main]);
    const writer = await secure(main.port);
    expect(await reload([{ ...main, tls: { ...pair("zeo"), minimum: "1.3" } }])).toMatchObject({ reopened: [] });
    const newcomer = await secure(main.port);
    expect(newcomer.shown).toBe("zeo.example");
    await commits(newcomer.client, 1, writer.client);
    expect(proxy.stats().upstreams).toMatchObject([{ accepted: 2, clients: 2 }]);
  });

  it("is asked for at once with clients: required, of newcomers alone; and not any more with none", async () => {
    const server = await embeddedServer();
    const own = pair("proxy");
    const main = await door("main", server.port, { tls: own });
    const { gateway, reload } = await started([main]);
    const writer = await secure(main.port);
    const wants = { ...main, tls: { ...own, ca: files.of("ca.pem"), clients: "required" as const } };
    await reload([wants]);
    expect(await isLetIn(secure(main.port))).toBe(false);
    expect(await isLetIn(secure(main.port, of("stranger")))).toBe(false);
    const known = await secure(main.port, of("client"));
    await commits(known.client, 1, writer.client);
    await gateway.until(() => gateway.told("TLS with a client failed").length === 2, "both are told of");
    // Of another authority now.
    files.of("stranger.pem", "ca.pem");
    await reload([wants]);
    expect(await isLetIn(secure(main.port, of("client")))).toBe(false);
    await commits((await secure(main.port, of("stranger"))).client, 2, known.client);
    await reload([main]);
    await commits((await secure(main.port)).client, 3, writer.client);
  });

  it("refuses the whole reload where one is no good; nothing else of it is in force, and the next one is", async () => {
    const [one, two] = [await embeddedServer(), await embeddedServer()];
    const main = await door("main", one.port, { tls: pair("proxy") });
    const other = await door("other", two.port, { tls: pair("zeo") });
    const comes = await door("comes", two.port);
    const { proxy, reload } = await started([main, other]);
    const writer = await secure(main.port);
    // The first upstream's are good, and new; the second one's do not fit.
    pair("client", "proxy");
    copyFileSync(fixture("proxy.key"), files.at("zeo.key"));
    chmodSync(files.at("zeo.key"), 0o600);
    const wanted = [{ ...main, allow: ["192.0.2.0/24"] }, other, comes];
    expect(await problemsOf(reload(wanted, { limits: { clients: 1 } }))).toEqual([
      expect.stringMatching(/^upstreams\[1\]\.tls\.(?:key|certificate)$/),
    ]);
    expect(names(proxy)).toEqual(["main listening", "other listening"]);
    expect(proxy.status().proxy.clients.limit).toBe(10_000);
    const newcomer = await secure(main.port);
    expect(newcomer.shown).toBe("proxy.example");
    expect((await secure(other.port)).shown).toBe("zeo.example");
    await commits(newcomer.client, 1, writer.client);
    for (const spoilt of ["gone", "open to all", "no certificate"]) {
      pair("zeo");
      if (spoilt === "gone") rmSync(files.at("zeo.pem"));
      else if (spoilt === "open to all") chmodSync(files.at("zeo.key"), 0o644);
      else writeFileSync(files.at("zeo.pem"), "-----BEGIN CERTIFICATE-----\n");
      // oxlint-disable-next-line no-await-in-loop -- one at a time
      expect(await problemsOf(reload(wanted)), spoilt).toHaveLength(1);
    }
    pair("zeo", "proxy");
    pair("zeo");
    expect(await reload([main, other, comes])).toMatchObject({ opened: ["comes"], reopened: [] });
    expect((await secure(main.port)).shown).toBe("zeo.example");
    await commits(newcomer.client, 2, writer.client);
  });

  it("stays where the reload is refused for something else: an address that is in use", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port, { tls: pair("proxy") });
    const { reload } = await started([main]);
    pair("zeo", "proxy");
    const bad = await door("bad", server.port, { listen: `127.0.0.1:${(await embeddedServer()).port}` });
    await expect(reload([main, bad])).rejects.toThrow("upstream bad: ");
    expect((await secure(main.port)).shown).toBe("proxy.example");
    await reload([main]);
    expect((await secure(main.port)).shown).toBe("zeo.example");
  });

  it("is TLS or none by opening the upstream anew", async () => {
    const server = await embeddedServer();
    const plain = await door("main", server.port);
    const { reload } = await started([plain]);
    const before = await client(plain.port);
    await commits(before, 1);
    expect(await reload([{ ...plain, tls: pair("proxy") }])).toMatchObject({ reopened: ["main"] });
    await before.whenClosed();
    const secured = await secure(plain.port);
    await commits(secured.client, 2, (await secure(plain.port)).client);
    expect(await reload([plain])).toMatchObject({ reopened: ["main"] });
    await secured.client.whenClosed();
    await commits(await client(plain.port), 3, await client(plain.port));
  });
});

describe("what a server is shown, and must show", () => {
  /** An upstream with TLS to the server there, a witness, and a certificate of the proxy's own. */
  const secured = (port: number, rest: Partial<Input> = {}): Promise<Input & { readonly port: number }> =>
    door("main", port, {
      witness: "on",
      storages: ["1"],
      "server-tls": { ca: files.of("ca.pem"), ...pair("proxy", "own") },
      ...rest,
    });

  it("is another one for dials from then on: those of clients and those of the witness", async () => {
    const server = await embeddedServer();
    const tls = await tlsBefore(server.port, "zeo");
    const main = await secured(tls.port);
    const { proxy, gateway, reload } = await started([main]);
    const witness = () => proxy.stats().storages[0]?.witness;
    await gateway.until(() => witness() === "up", "the witness is there");
    const writer = await client(main.port);
    expect(new Set(tls.shown)).toEqual(new Set(["proxy.example"]));
    pair("client", "own");
    const before = tls.shown.length;
    expect(await reload([main])).toMatchObject({ reopened: [] });
    await commits(writer, 1, await client(main.port));
    expect(tls.shown.slice(before)).toEqual(["client.example"]);
    // The server is replaced by one of another authority: it is down, until that is named.
    tls.becomes("stranger");
    tls.cut();
    await writer.whenClosed();
    await gateway.until(() => names(proxy)[0] === "main down", "the server is not taken for it");
    expect(gateway.told("the server is down: not listening")[0]?.["reason"]).toMatch(/CERT|SIGN|ISSUER/i);
    files.of("stranger.pem", "ca.pem");
    const [again, listening] = [tls.shown.length, gateway.event("listening")];
    await reload([main]);
    await listening;
    await commits(await client(main.port), 2, await client(main.port));
    await gateway.until(() => witness() === "up", "the witness is there again");
    expect(new Set(tls.shown.slice(again))).toEqual(new Set(["client.example"]));
  });

  it("is the heir's, where the upstream that has found the server is closed and another one has the same", async () => {
    const server = await embeddedServer();
    const tls = await tlsBefore(server.port, "zeo");
    const main = await secured(tls.port);
    const heir = await door("heir", tls.port, {
      witness: "on",
      "server-tls": { ca: files.of("ca.pem", "heir-ca.pem"), ...pair("client", "heir") },
    });
    const { proxy, gateway, reload } = await started([main, heir]);
    const witness = () => proxy.stats().storages.map((storage) => storage.witness);
    await gateway.until(() => witness()[0] === "up", "the witness is there");
    const watcher = await client(heir.port);
    await commits(watcher, 1);
    expect(await reload([heir])).toMatchObject({ closed: ["main"] });
    expect(proxy.stats().storages).toMatchObject([{ commits: 1 }]);
    // What was the closed one's is not asked for any more; a reload exchanges what the heir has.
    files.remove();
    files = copies();
    const later = { ...heir, "server-tls": { ca: files.of("ca.pem"), ...pair("zeo") } };
    expect(await reload([later])).toMatchObject({ reopened: [] });
    const before = tls.shown.length;
    tls.cut();
    await watcher.whenClosed();
    await gateway.until(() => tls.shown.length > before, "somebody dials");
    await expect
      .poll(() =>
        client(heir.port).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    const elsewhere = await EmbeddedClient.connect({ port: server.port });
    onTestFinished(() => elsewhere.destroy());
    await gateway.until(() => witness()[0] === "up", "the witness is there again");
    await commits(elsewhere, 2, await client(heir.port));
    expect(new Set(tls.shown.slice(before))).toEqual(new Set(["zeo.example"]));
  });

  it("is TLS or none by opening the upstream anew, and what was known is not mixed up", async () => {
    const server = await embeddedServer();
    const tls = await tlsBefore(server.port, "zeo");
    const plain = await door("main", server.port, { witness: "on", storages: ["1"] });
    const { proxy, gateway, reload } = await started([plain]);
    const before = await client(plain.port);
    await commits(before, 1);
    const after = await secured(tls.port, { listen: plain.listen });
    expect(await reload([after])).toMatchObject({ reopened: ["main"] });
    await before.whenClosed();
    await commits(await client(plain.port), 2, await client(plain.port));
    await gateway.until(() => proxy.stats().storages[0]?.witness === "up", "the witness is there");
    expect(proxy.stats().storages).toMatchObject([{ server: `127.0.0.1:${tls.port}`, commits: 1 }]);
  });

  it("that is no good refuses the whole reload", async () => {
    const server = await embeddedServer();
    const tls = await tlsBefore(server.port, "zeo");
    const main = await secured(tls.port);
    const { reload } = await started([main]);
    const writer = await client(main.port);
    files.of("stranger.key", "own.key");
    expect(await problemsOf(reload([main]))).toEqual([expect.stringMatching(/^upstreams\[0\]\.server-tls\./)]);
    const before = tls.shown.length;
    await commits(writer, 1, await client(main.port));
    expect(tls.shown.slice(before)).toEqual(["proxy.example"]);
  });
});

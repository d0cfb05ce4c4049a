import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { createProxy } from "../../../src/proxy/proxy.ts";
import type { EmbeddedServer } from "../../../src/embedded/server.ts";
import { onTestFinished } from "vitest";
import { compare, type CompareOptions } from "../../../src/tools/watch/compare.ts";
import { parseFilter, type Filter } from "../../../src/tools/watch/filter.ts";
import { watch, type WatchOneOptions } from "../../../src/tools/watch/watch.ts";
import { NO_TID, tidHex } from "../../../src/wire/ids.ts";
import { tidTime } from "../../../src/report/tid-time.ts";
import { committing, oid, serve, targetOf, Written } from "../serve.ts";
import { selfSigned, tlsBefore } from "../tls-front.ts";

const BASE = { storage: "1", oids: false, json: false, wait: false, pollMs: 50, timeoutMs: 10_000 };
const EVERYTHING = parseFilter([]) as Filter;

function watching(
  server: { port: number },
  options: Partial<WatchOneOptions> = {},
): { output: Written; end: () => void; watched: Promise<string> } {
  const output = new Written();
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const watched = watch(
    { ...BASE, filter: EVERYTHING, follow: true, target: targetOf(server), ...options },
    output,
    ended,
  );
  onTestFinished(() => {
    end();
  });
  return { output, end, watched };
}

describe("watch", () => {
  it("writes a line for each transaction, ends after so many, and says what the server named", async () => {
    const server = await serve();
    const commits = await committing(server);
    const { output, watched } = watching(server, { count: 2 });
    await output.notes.until((line) => line.includes("connected"));
    const a = await commits.commit({ create: [oid(1), oid(2)] });
    const b = await commits.commit({ modify: [oid(1)], create: [oid(3)] });
    expect(await watched).toBe("done");
    expect(output.text).toBe(
      `${tidHex(a)}  ${tidTime(a)}  2 objects    0 named, 2 left out\n` +
        `${tidHex(b)}  ${tidTime(b)}  2 objects    1 named, 1 left out\n`,
    );
    expect(output.notes.all).toEqual([
      `zeo-proxy: connected to 127.0.0.1:${server.port} (Z5), storage "1", last transaction 0000000000000000`,
      "zeo-proxy: 2 transactions, 4 objects; while it looked on the server told of 2 of 2 transactions and named 1 of 4 objects",
    ]);
  });

  it("writes each object with what was left out, and nothing that is not wanted", async () => {
    const server = await serve();
    const commits = await committing(server);
    const filter = parseFilter(["incomplete", "3"]) as Filter;
    const { output, watched } = watching(server, { count: 1, oids: true, filter });
    await output.notes.until((line) => line.includes("connected"));
    await commits.commit({ create: [oid(1), oid(2)] });
    const b = await commits.commit({ modify: [oid(1)], create: [oid(3)] });
    await watched;
    const [line, ...objects] = output.text.split("\n");
    expect(line).toBe(`${tidHex(b)}  ${tidTime(b)}  2 objects    1 named, 1 left out`);
    expect(objects.sort()).toEqual(["", `    ${oid(1)}`, `    ${oid(3)}  left out`]);
  });

  it("counts what it has shown, and says of how many that is", async () => {
    const server = await serve();
    const commits = await committing(server);
    for (const create of [[oid(1)], [oid(2), oid(3)], [oid(4)]]) await commits.commit({ create });
    const filter = parseFilter(["3"]) as Filter;
    const text = watching(server, { since: NO_TID, follow: false, filter });
    const json = watching(server, { since: NO_TID, follow: false, filter, json: true });
    await Promise.all([text.watched, json.watched]);
    expect(text.output.text.trim().split("\n")).toHaveLength(1);
    expect(text.output.notes.all.at(-1)).toBe("zeo-proxy: 1 of 3 transactions, 2 objects");
    expect(json.output.values.at(-1)).toMatchObject({ event: "end", seen: 3, transactions: 1, objects: 2 });
    const none = watching(server, { since: NO_TID, follow: false, filter: parseFilter(["99"]) as Filter });
    await none.watched;
    expect(none.output.notes.all.at(-1)).toBe("zeo-proxy: 0 of 3 transactions, 0 objects");
  });

  it("says what it waits for where a server says nothing, and that it may speak TLS", async () => {
    const { port } = await tlsBefore(await serve());
    const { output, watched } = watching({ port }, { timeoutMs: 3_000 });
    expect(await watched).toBe("failed");
    const name = `127.0.0.1:${port}`;
    expect(output.progressed.slice(-2)).toEqual([
      `connected to ${name}, which has not greeted yet: it may speak TLS (try --tls, or --tls-ca) ...`,
      "",
    ]);
    expect(output.notes.all).toEqual([
      `zeo-proxy: ${name}: the server accepts and says nothing: it may speak TLS (try --tls, or --tls-ca)`,
    ]);
  });

  it("says that a server may speak TLS that ends without a greeting; never of one that has greeted before", async () => {
    const { port } = await ending();
    const { output, watched } = watching({ port });
    expect(await watched).toBe("failed");
    expect(output.notes.all).toEqual([
      expect.stringMatching(/\((?:ended|closed)\) before it has greeted: it may speak TLS \(try --tls, or --tls-ca\)$/),
    ]);
    const server = await serve();
    const greeted = watching(server);
    await greeted.output.notes.until((line) => line.includes("connected"));
    await server.close();
    await ending(server.port);
    await greeted.output.notes.until((line) => /\((?:ended|closed)\); trying again$/.test(line));
    expect(greeted.output.notes.all.join()).not.toContain("TLS");
  });

  it("never goes on in plain where TLS was asked for", async () => {
    const server = await serve();
    const { output, watched } = watching(server, { tls: { verify: false } });
    expect(await watched).toBe("failed");
    expect(output.notes.all).toEqual([
      `zeo-proxy: 127.0.0.1:${server.port}: the server does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER)`,
    ]);
  });

  it("reads all that there is and ends, where it is not to follow", async () => {
    const server = await serve();
    const commits = await committing(server);
    const a = await commits.commit({ create: [oid(1)] });
    const b = await commits.commit({ modify: [oid(1)] });
    const { output, watched } = watching(server, { since: NO_TID, follow: false, json: true });
    expect(await watched).toBe("done");
    expect(output.values).toMatchObject([
      { event: "up", protocol: "Z5", storage: "1", last: tidHex(b) },
      {
        event: "transaction",
        tid: tidHex(a),
        time: tidTime(a),
        source: "read",
        oids: [oid(1)],
        named: null,
        leftOut: null,
      },
      { event: "transaction", tid: tidHex(b), source: "read", oids: [oid(1)] },
      { event: "caught-up", last: tidHex(b) },
      { event: "end", transactions: 2, objects: 2, followed: 0 },
    ]);
    expect(output.notes.all).toEqual([]);
  });

  it("ends at once in an empty storage, where it is not to follow", async () => {
    const { output, watched } = watching(await serve(), { since: NO_TID, follow: false });
    expect(await watched).toBe("done");
    expect(output.text).toBe("");
  });

  it("ends when it is told to", async () => {
    const { output, end, watched } = watching(await serve());
    await output.notes.until((line) => line.includes("connected"));
    end();
    expect(await watched).toBe("done");
    expect(output.notes.all.at(-1)).toBe("zeo-proxy: 0 transactions, 0 objects");
  });

  it("fails where nobody is there, or there is no such storage", async () => {
    const server = await serve();
    const unknown = watching(server, { storage: "a\u001b[2Jb" });
    expect(await unknown.watched).toBe("failed");
    expect(unknown.output.notes.all).toEqual([
      `zeo-proxy: 127.0.0.1:${server.port}: the server has no storage a\\x1b[2Jb`,
    ]);
    await server.close();
    const nobody = watching(server);
    expect(await nobody.watched).toBe("failed");
    expect(nobody.output.notes.all).toEqual([
      `zeo-proxy: 127.0.0.1:${server.port}: nobody listens there (ECONNREFUSED)`,
    ]);
  });

  it("waits for who is not there where it is told to, and says so once", async () => {
    const server = await serve();
    await server.close();
    const { output, watched } = watching(server, { wait: true, count: 1, json: true, since: NO_TID });
    await output.printed.until((line) => line.includes("down"));
    await server.start();
    await output.printed.until((line) => line.includes('"up"'));
    await (await committing(server)).commit({ create: [oid(1)] });
    expect(await watched).toBe("done");
    expect(output.values.filter(({ event }) => event === "down")).toEqual([{ event: "down", reason: "ECONNREFUSED" }]);
  });
});

/** Somebody who ends each connection without a word. */
async function ending(at = 0): Promise<{ port: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(at, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
  });
  return { port: (server.address() as { port: number }).port };
}

async function proxyBefore(server: EmbeddedServer): Promise<{ port: number }> {
  const proxy = createProxy({ upstreams: [{ listen: "127.0.0.1:0", server: `127.0.0.1:${server.port}` }] });
  await proxy.start();
  onTestFinished(() => proxy.stop());
  return { port: Number(proxy.stats().upstreams[0]?.listen?.split(":")[1]) };
}

function comparing(
  proxy: { port: number },
  server: { port: number },
  options: Partial<CompareOptions> = {},
): { output: Written; compared: Promise<string> } {
  const output = new Written();
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const targets = { proxy: targetOf(proxy), server: targetOf(server) };
  const compared = compare({ ...BASE, filter: EVERYTHING, ...targets, ...options }, output, ended);
  onTestFinished(() => end());
  return { output, compared };
}

describe.each(["Z4", "Z5", "M5"] as const)("a comparison of the proxy with an unpatched %s server", (protocol) => {
  it("shows what that leaves out, live", async () => {
    const server = await serve({ protocol });
    const proxy = await proxyBefore(server);
    const commits = await committing(proxy);
    const { output, compared } = comparing(proxy, server, { count: 3, json: true });
    await output.printed.until(() => output.values.filter(({ event }) => event === "up").length === 2);
    await commits.commit({ create: [oid(1), oid(2)] });
    await commits.commit({ modify: [oid(1)], create: [oid(3)] });
    await commits.commit({ modify: [oid(1)] });
    expect(await compared).toBe("done");
    const silent = protocol === "Z4" ? "asked" : "told";
    const rows = output.values.filter(({ event }) => event === "transaction");
    expect(rows.map(({ proxy: one, server: two }) => [one, two])).toEqual([
      [
        { source: "told", named: [oid(1), oid(2)], leftOut: [] },
        { source: silent, named: [], leftOut: [oid(1), oid(2)] },
      ],
      [
        { source: "told", named: expect.arrayContaining([oid(1), oid(3)]) as unknown, leftOut: [] },
        { source: "told", named: [oid(1)], leftOut: [oid(3)] },
      ],
      [
        { source: "told", named: [oid(1)], leftOut: [] },
        { source: "told", named: [oid(1)], leftOut: [] },
      ],
    ]);
    expect(output.values.at(-1)).toMatchObject({
      event: "end",
      proxy: { followed: 3, told: 3, followedObjects: 5, named: 5 },
      server: { followed: 3, followedObjects: 5, named: 2 },
    });
  });
});

describe("a comparison", () => {
  it("is readable, and incomplete where the first side leaves something out", async () => {
    const server = await serve();
    const proxy = await proxyBefore(server);
    const commits = await committing(server);
    const { output, compared } = comparing(server, proxy, { count: 1, oids: true });
    await output.printed.until((text) => text.includes("127.0.0.1"));
    const tid = await commits.commit({ create: [oid(1)] });
    expect(await compared).toBe("incomplete");
    const lines = output.text.split("\n");
    expect(lines[0]?.trim().split(/ +/)).toEqual([`127.0.0.1:${server.port}`, `127.0.0.1:${proxy.port}`]);
    expect(lines[1]).toBe(`${tidHex(tid)}  ${tidTime(tid)}  1 object     0 named, 1 left out       all named`);
    expect(lines[1]?.indexOf("0 named")).toBe(lines[0]?.indexOf("127"));
    expect(lines[2]?.trim().split(/  +/)).toEqual([oid(1), "left out"]);
    expect(lines[2]?.indexOf("left out")).toBe(lines[0]?.indexOf("127"));
  });

  it("speaks TLS with the one that does, and plain with the other", async () => {
    const server = await serve();
    const { port, certificate } = await tlsBefore(server);
    const tls = { verify: true, ca: certificate, name: "zeo.test" };
    const commits = await committing(server);
    await commits.commit({ create: [oid(1)] });
    const sides = [
      comparing({ port }, server, { count: 1, proxyTls: tls }),
      comparing(server, { port }, { count: 1, serverTls: tls }),
    ];
    for (const { output } of sides) await output.printed.until((text) => text.includes("127.0.0.1"));
    await commits.commit({ modify: [oid(1)] });
    expect(await Promise.all(sides.map(({ compared }) => compared))).toEqual(["done", "done"]);
  });

  it("never goes on in plain where TLS was asked for, nor with a certificate that is not to be trusted", async () => {
    const server = await serve();
    const { port } = await tlsBefore(server);
    const both = comparing({ port }, server, { proxyTls: { verify: false }, serverTls: { verify: false } });
    expect(await both.compared).toBe("failed");
    expect(both.output.notes.all.at(-1)).toBe(
      `zeo-proxy: 127.0.0.1:${server.port}: the server does not speak TLS (ERR_SSL_WRONG_VERSION_NUMBER) (--tls-of says which of the two does)`,
    );
    const other = { verify: true, ca: selfSigned().certificate, name: "zeo.test" };
    const untrusted = comparing({ port }, server, { proxyTls: other });
    expect(await untrusted.compared).toBe("failed");
    expect(untrusted.output.notes.all.at(-1)).toContain(
      `127.0.0.1:${port}: the certificate is self-signed, and not the one that --tls-ca names`,
    );
  });

  it("counts what it has shown, and says of how many that is", async () => {
    const server = await serve();
    const proxy = await proxyBefore(server);
    const commits = await committing(proxy);
    const { output, compared } = comparing(proxy, server, { count: 1, filter: parseFilter(["2"]) as Filter });
    await output.printed.until((text) => text.includes("127.0.0.1"));
    await commits.commit({ create: [oid(1)] });
    await commits.commit({ create: [oid(2)] });
    expect(await compared).toBe("done");
    expect(output.notes.all.at(-1)).toMatch(
      /^zeo-proxy: 1 of 2 transactions: 127.* told of 1 of 1 transaction and named 1 of 1 object; /,
    );
  });

  it("fails where one of the two is not there", async () => {
    const server = await serve();
    const gone = await serve();
    await gone.close();
    const { output, compared } = comparing(gone, server);
    expect(await compared).toBe("failed");
    expect(output.notes.all.join()).toContain(`127.0.0.1:${gone.port}: nobody listens there (ECONNREFUSED)`);
  });
});

import { connect, createServer, type Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { MemoryStorage } from "../../../src/embedded/memory-storage.ts";
import { createProxy } from "../../../src/proxy/proxy.ts";
import { nagios } from "../../../src/tools/probe/nagios.ts";
import { probe, type Probe, type ProbeOptions } from "../../../src/tools/probe/probe.ts";
import { probeFields, probeText } from "../../../src/tools/probe/report.ts";
import { SCRATCH_DESCRIPTION } from "../../../src/tools/probe/scratch.ts";
import { tidHex } from "../../../src/wire/ids.ts";
import { committing, oid, serve, targetOf } from "../serve.ts";
import { selfSigned, tlsBefore } from "../tls-front.ts";

const TIMEOUT_MS = 10_000;
const PLAIN = { hasColours: false };

function probing(server: { port: number }, options: Partial<ProbeOptions> = {}): Promise<Probe> {
  return probe({ target: targetOf(server), storages: ["1"], write: false, timeoutMs: TIMEOUT_MS, ...options });
}

/** Of the only storage. */
function storageOf(found: Probe): Record<string, unknown> {
  const { storages } = probeFields(found, Date.now()) as { storages: [Record<string, unknown>] };
  return storages[0];
}

/** Somebody at a port who does this with whoever connects. */
async function listening(connected: (socket: Socket) => void): Promise<{ port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    connected(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port };
}

describe.each(["Z4", "Z5", "M5"] as const)("a probe of an unpatched %s server", (protocol) => {
  const isOld = protocol === "Z4";

  it("has protocol, encodings, storages, last transaction and round trip, and writes nothing", async () => {
    const server = await serve({ protocol });
    const commits = await committing(server);
    const tid = await commits.commit({ create: [oid(1)] });
    const found = await probing(server, { storages: ["1", "other"] });
    expect(found).toMatchObject({
      look: { kind: "zeo", announced: protocol, tls: undefined },
      encodings: isOld ? ["pickle"] : ["pickle", "msgpack"],
      storages: [
        { ok: true, storage: "1", last: tid, readOnly: false },
        { ok: false, storage: "other", problem: "the server does not have it" },
      ],
      problems: ['storage "other": the server does not have it'],
    });
    expect(server.storage().lastTransaction()).toBe(tid);
    const text = probeText(found, PLAIN);
    expect(text).toContain(`protocol           ${protocol} (`);
    expect(text).toContain(tidHex(tid));
    const [min, median, max] = (found.storages[0] as { roundTripMs: readonly [number, number, number] }).roundTripMs;
    expect(min > 0 && min <= median && median <= max).toBe(true);
  });

  it("shows that something was left out, without writing", async () => {
    const server = await serve({ protocol });
    const commits = await committing(server);
    await commits.commit({ create: [oid(1)] });
    await commits.commit({ modify: [oid(1)] });
    await server.close();
    // What it reads at its start is complete.
    await server.start();
    expect(storageOf(await probing(server))).toMatchObject({ patched: "unknown" });
    const next = await committing(server);
    const tid = await next.commit({ modify: [oid(1)], create: [oid(2)] });
    const patched = storageOf(await probing(server));
    expect(patched["patched"]).toBe("no");
    expect(patched["evidence"]).toContain(`${oid(2)}, which ${tidHex(tid)} created`);
  });

  it("takes what was deleted for nothing that was left out", async () => {
    const server = await serve({ protocol });
    const commits = await committing(server);
    await commits.commit({ create: [oid(1), oid(2)] });
    await server.close();
    await server.start();
    const next = await committing(server);
    await next.commit({ delete: [oid(2)] });
    await next.commit({ modify: [oid(1)] });
    expect(storageOf(await probing(server))).toMatchObject({ patched: "unknown" });
  });

  it("shows by a transaction of its own what another client is told, through the proxy and without", async () => {
    const server = await serve({ protocol });
    const direct = storageOf(await probing(server, { write: true }));
    expect(direct).toMatchObject({ patched: "no", written: { told: isOld ? "no message" : "left out" } });
    const [record] = server.storage().transactions.slice(-1);
    expect(record?.description.toString()).toBe(SCRATCH_DESCRIPTION);

    const proxy = createProxy({ upstreams: [{ listen: "127.0.0.1:0", server: `127.0.0.1:${server.port}` }] });
    await proxy.start();
    onTestFinished(() => proxy.stop());
    const port = Number(proxy.stats().upstreams[0]?.listen?.split(":")[1]);
    expect(storageOf(await probing({ port }, { write: true }))).toMatchObject({
      patched: "yes",
      written: { told: "named" },
    });
  });

  it("finds a patched one patched", async () => {
    const server = await serve({ protocol, omitCreated: false, silentWhenEmpty: false });
    expect(storageOf(await probing(server, { write: true }))).toMatchObject({ patched: "yes" });
    const commits = await committing(server);
    await commits.commit({ create: [oid(5)] });
    expect(storageOf(await probing(server))).toMatchObject({ patched: "unknown" });
  });

  it("says that it can't write where that is so", async () => {
    const server = await serve({ protocol, readOnly: true });
    expect(storageOf(await probing(server))).toMatchObject({ ok: true, readOnly: true });
    expect((await probing(server, { write: true })).problems).toEqual([
      'storage "1": it is read-only: nothing can be written there',
    ]);
  });
});

/** What is said to a server through a port before it. */
async function tapped(server: { port: number }): Promise<{ port: number; said: () => string }> {
  const bytes: Buffer[] = [];
  const { port } = await listening((socket) => {
    const inner = connect(server.port, "127.0.0.1");
    inner.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => bytes.push(chunk));
    socket.on("error", () => inner.destroy());
    socket.pipe(inner).pipe(socket);
  });
  return { port, said: () => Buffer.concat(bytes).toString("latin1") };
}

describe("what a probe asks for", () => {
  const times = (text: string, what: string): number => text.split(what).length - 1;

  it.each(["Z4", "Z5"] as const)("is for a monitor nothing of what has changed: %s", async (protocol) => {
    const server = await serve({ protocol });
    const commits = await committing(server);
    const tid = await commits.commit({ create: [oid(1)] });
    const tap = await tapped(server);
    const found = await probing(tap, { brief: true });
    expect(found.problems).toEqual([]);
    // A connection that looks, and one that asks.
    expect(times(tap.said(), "register")).toBe(1);
    expect(times(tap.said(), "getInvalidations")).toBe(0);
    const [line] = nagios(found, { warningMs: undefined, criticalMs: undefined }, Date.now());
    expect(line).toContain(`; storage "1" ${tidHex(tid)} | `);
  });

  it.each([0, 1, 60_000, 86_400_000, 30 * 86_400_000])(
    "are few questions about what has changed: %s ms",
    async (ago) => {
      let now = Date.now() - ago;
      const server = await serve({ storages: { "1": new MemoryStorage({ now: () => now }) } });
      await (await committing(server)).commit({ create: [oid(1)] });
      // It reads at its start what has changed, and reaches back that far.
      await server.close();
      await server.start();
      now = Date.now();
      await (await committing(server)).commit({ modify: [oid(1)], create: [oid(2)] });
      const tap = await tapped(server);
      const { patched } = storageOf(await probing(tap));
      // What was committed within less than a millisecond can't be told apart by a time.
      if (ago > 1) expect(patched).toBe("no");
      expect(times(tap.said(), "getInvalidations")).toBeGreaterThan(0);
      expect(times(tap.said(), "getInvalidations")).toBeLessThanOrEqual(4);
    },
  );
});

describe("a probe of something else", () => {
  it.each([
    ["an SSH server", "SSH-2.0-OpenSSH_9.2\r\n", "foreign"],
    ["an empty frame", "\0\0\0\0", "foreign"],
    ["a name that is none", "\0\0\0\u0004\u001b[2J", "foreign"],
    ["a protocol that is not known", "\0\0\0\u0003Z77", "zeo"],
  ])("is a finding: %s", async (_, text, kind) => {
    const found = await probing(await listening((socket) => socket.write(text, "latin1")));
    expect(found.look.kind).toBe(kind);
    expect(found.problems).toHaveLength(1);
    expect(probeText(found, PLAIN)).not.toContain("\u001b");
    expect(nagios(found, { warningMs: undefined, criticalMs: undefined }, Date.now())[1]).toBe(2);
  });

  it("is a finding: a server that says nothing, and one that is silent behind its greeting", async () => {
    const silent = await probing(await listening(() => undefined), { timeoutMs: 1_500 });
    expect(silent.problems).toHaveLength(1);
    const deaf = await listening((socket) => socket.write("\0\0\0\u0002Z5"));
    const found = await probing(deaf, { timeoutMs: 500 });
    expect(found.problems).toEqual(['storage "1": register: no answer in 500 ms']);
  });

  it("is a finding: garbage behind the greeting", async () => {
    const server = await listening((socket) => socket.write("\0\0\0\u0002Z5\0\0\0\u0004abcd"));
    expect((await probing(server)).problems).toEqual([
      expect.stringMatching(/^storage "1": .*connection (?:was|is) closed/) as unknown as string,
    ]);
  });

  it("is a finding: nobody", async () => {
    const server = await serve();
    await server.close();
    const nobody = { problems: ["nobody listens there (ECONNREFUSED)"], look: { kind: "unreachable" } };
    expect(await probing(server)).toMatchObject(nobody);
    expect(await probing(server, { tls: { verify: true } })).toMatchObject(nobody);
  });
});

describe("a probe of a TLS server", () => {
  it("finds the TLS by itself, with its certificate, and what is behind it", async () => {
    const { port, certificate } = await tlsBefore(await serve(), "/CN=zeo\u001b[2Jtest");
    const found = await probing({ port });
    expect(found.problems).toEqual([]);
    expect(found.look).toMatchObject({
      kind: "zeo",
      announced: "Z5",
      tls: { version: "TLSv1.3", subject: "zeo\\x1b[2Jtest", unverified: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    });
    const name = { verify: true, ca: certificate, name: "zeo.test" };
    expect((await probing({ port }, { tls: name })).look).toMatchObject({
      kind: "zeo",
      tls: { unverified: undefined },
    });
    const untrusted = await probing({ port }, { tls: { verify: true } });
    expect(untrusted.problems[0]).toBe(
      "the certificate is self-signed (name it with --tls-ca) (DEPTH_ZERO_SELF_SIGNED_CERT)",
    );
    const renewed = await probing({ port }, { tls: { verify: true, ca: selfSigned().certificate } });
    expect(renewed.problems[0]).toBe(
      "the certificate is self-signed, and not the one that --tls-ca names: was it renewed? (DEPTH_ZERO_SELF_SIGNED_CERT)",
    );
    expect(probeFields(untrusted, Date.now())).toMatchObject({
      ok: false,
      found: "untrusted",
      tls: { subject: "zeo\\x1b[2Jtest", unverified: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    });
    expect(probeText(untrusted, PLAIN)).toMatch(/^reachable +yes\nTLS +TLSv1\.3, /m);
    const misnamed = await probing({ port }, { tls: { ...name, name: "other.test" } });
    expect(probeFields(misnamed, Date.now())).toMatchObject({ found: "untrusted" });
    expect(misnamed.problems[0]).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
    const [line, status] = nagios(found, { warningMs: undefined, criticalMs: undefined }, Date.now());
    expect([line.slice(0, 14), status]).toEqual(["ZEO WARNING - ", 1]);
    expect(line).toContain("the certificate ends");
  });
});

describe("a line for a monitor", () => {
  const found = async (): Promise<Probe> => probing(await serve(), { brief: true });

  it("is OK, WARNING or CRITICAL by the round trip, with performance data", async () => {
    const one = await found();
    const [, median] = (one.storages[0] as { roundTripMs: readonly [number, number, number] }).roundTripMs;
    const line = (warningMs?: number, criticalMs?: number): [string, number] =>
      nagios(one, { warningMs, criticalMs }, Date.now());
    expect(line()[0]).toMatch(/^ZEO OK - Z5 at 127\.0\.0\.1:\d+; storage "1" empty \| rtt=[\d.]+s;;;0\n$/);
    expect([
      line()[1],
      line(median + 1, median + 2)[1],
      line(median, median + 2)[1],
      line(median / 2, median)[1],
    ]).toEqual([0, 0, 1, 2]);
    expect(line(100, 1000)[0]).toMatch(/\| rtt=[\d.]+s;0\.1;1;0\n$/);
  });
});

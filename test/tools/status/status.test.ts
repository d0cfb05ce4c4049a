import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { describe, expect, it, onTestFinished, test } from "vitest";
import type * as shape from "../../../src/admin/shape.ts";
import { parseAdmin, type AdminPlace } from "../../../src/tools/admin-place.ts";
import { fetchStatus } from "../../../src/tools/status/fetch.ts";
import { readStatus, type Status } from "../../../src/tools/status/reading.ts";
import { showStatus } from "../../../src/tools/status/status.ts";
import { durationText, statusText } from "../../../src/tools/status/text.ts";
import { Written } from "../serve.ts";

const NO_COLOURS = { hasColours: false };

const UPSTREAM: shape.UpstreamStatus = {
  name: "main",
  listen: "127.0.0.1:9100",
  server: "127.0.0.1:8100",
  standbys: [],
  addresses: ["127.0.0.1:8100"],
  state: "listening",
  repair: "on",
  ready: true,
  reason: undefined,
  accepted: 1_234,
  refused: { "no-server": 0, denied: 4 },
  unrepaired: { tls: 1, mac: 2 },
  ended: { "not-registered": 1, "client-too-slow": 2 },
  observed: { clients: 0, ended: {} },
  clients: {
    count: 32,
    omitted: 30,
    list: [
      {
        address: "127.0.0.1:51234",
        server: "127.0.0.1:8100",
        state: "registered",
        observed: false,
        protocol: "Z5",
        storage: "1",
        ageSeconds: 61,
        received: { client: 1_000, server: 2_000 },
        sent: { client: 2_500, server: 1_000 },
        waitingBytes: 5,
        heldMessages: 0,
        calls: 1,
        repairs: 7,
      },
    ],
  },
};

const STORAGE: shape.StorageStatus = {
  server: "127.0.0.1:8100",
  storage: "1",
  family: "new",
  observed: false,
  commits: 5,
  foreign: 1,
  foreignRead: 1,
  finishing: 0,
  heldMessages: 0,
  witness: "up",
  witnessLagSeconds: 0,
  patched: "no",
  lastTid: "040d52d8a9cac083",
  setbacks: 0,
  questions: 0,
  repaired: { client: 3, foreign: 1 },
  oidsAdded: 11,
  resumed: 2,
  resumesRefused: 0,
  history: { transactions: 6, bytes: 600, reach: "040d52d8a9cac000" },
};

/** As a proxy says it; each field is held against the shape by the compiler. */
const STATUS: shape.Status = {
  version: 1,
  proxy: {
    version: "1.2.3",
    node: "v20.0.0",
    pid: 7,
    started: "2026-01-01T00:00:00.000Z",
    uptimeSeconds: 93_784,
    state: "running",
    guard: 0,
    memory: { keptBytes: 0, limitBytes: 1 },
    clients: { count: 3, limit: 10_000 },
  },
  upstreams: [UPSTREAM],
  storages: [STORAGE],
};

/** The same of an upstream that observes. */
const OBSERVING: shape.Status = {
  ...STATUS,
  upstreams: [
    {
      ...UPSTREAM,
      repair: "observe",
      observed: { clients: 1, ended: { "unread-commit": 2 } },
      clients: { ...UPSTREAM.clients, list: UPSTREAM.clients.list.map((one) => ({ ...one, observed: true })) },
    },
  ],
  storages: [{ ...STORAGE, observed: true }],
};

async function admin(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<AdminPlace> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return parseAdmin(`127.0.0.1:${(server.address() as { port: number }).port}`) as AdminPlace;
}

const json = (value: unknown) => (_: IncomingMessage, response: ServerResponse) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
};
const asked = (place: AdminPlace) => ({ place, token: undefined, ca: undefined, timeoutMs: 5_000 });

describe("a status", () => {
  it("is asked for at /status.json, with the token", async () => {
    let seen: unknown;
    const place = await admin((request, response) => {
      seen = [request.url, request.headers.authorization, request.headers.host];
      json(STATUS)(request, response);
    });
    expect(await fetchStatus({ ...asked(place), token: "abc" })).toEqual(JSON.parse(JSON.stringify(STATUS)));
    expect(seen).toEqual(["/status.json", "Bearer abc", place.name]);
  });

  it.each([
    [(response: ServerResponse) => response.writeHead(401).end(), "it wants a token (--token-file)"],
    [(response: ServerResponse) => response.writeHead(404).end(), "the answer is HTTP 404: no zeo-proxy?"],
    [(response: ServerResponse) => response.end("<html>"), "the answer is no JSON: no zeo-proxy?"],
    [(response: ServerResponse) => response.destroy(), "the connection was reset (ECONNRESET)"],
  ])("that is not to be had is one sentence: %#", async (answer, why) => {
    const place = await admin((_, response) => void answer(response));
    await expect(fetchStatus(asked(place))).rejects.toThrow(`${place.name}: ${why}`);
  });

  it("is not waited for without end", async () => {
    const place = await admin((_, response) => void response.write("{"));
    await expect(fetchStatus({ ...asked(place), timeoutMs: 300 })).rejects.toThrow("no answer in 0.3 s");
  });

  it("says whom it waits for where that takes over a second", async () => {
    const place = await admin((_, response) => void response.write("{"));
    const output = new Written();
    const never = new Promise<never>(() => undefined);
    const how = { admin: { ...asked(place), timeoutMs: 1_500 }, json: false, everyMs: undefined };
    expect(await showStatus(how, output, never)).toBe(false);
    expect(output.progressed).toEqual([`asking ${place.name} ...`, ""]);
  });

  it.each([[{}], [[]], [null], ["text"], [{ upstreams: {} }]])("%j is none", (value) => {
    expect(readStatus(value)).toBeUndefined();
  });

  it("may lack anything", () => {
    const clients = { count: "x", list: [{}, 7] };
    const status = readStatus({ upstreams: [{}, { clients }, 5], storages: [{}] }) as Status;
    expect(statusText(status, NO_COLOURS)).toContain("unknown");
    expect(status.totals.size).toBe(0);
  });

  it("is read whole: nothing that it shows is missing", () => {
    const { upstreams, storages, clients, ...rest } = readStatus(STATUS) as Status;
    for (const one of [{ ...upstreams[0], reason: "" }, storages[0], clients[0], rest]) {
      expect(Object.entries(one ?? {}).filter(([, value]) => value === undefined)).toEqual([]);
    }
  });

  it("is readable", () => {
    const text = statusText(readStatus(STATUS) as Status, NO_COLOURS);
    expect(text).toContain("zeo-proxy 1.2.3, up 1 d 2 h\n");
    expect(text).toMatch(/^main +listening +on +127\.0\.0\.1:9100 +127\.0\.0\.1:8100 +32 +1,234 +4 +3$/m);
    expect(text).toMatch(/^1 +127\.0\.0\.1:8100 +up +no +5 +1 +4 +11 +040d52d8a9cac083$/m);
    expect(text).toMatch(/^sessions ended +3$/m);
    expect(text).toMatch(
      /^127\.0\.0\.1:51234 +main +registered +1 +Z5 +1 min 1 s +1,000 +2,500 +5 +7\n\.\.\. and 30 clients more$/m,
    );
    expect(text).not.toContain("would be");
  });

  it("of an upstream that observes says what would be done, apart from what is", () => {
    const text = statusText(readStatus(OBSERVING) as Status, NO_COLOURS);
    expect(text).toMatch(/^main +listening +observe /m);
    expect(text).toMatch(
      /^observed storage .* would be repaired +oids to add +last tid\n1 .* 4 +11 +040d52d8a9cac083$/m,
    );
    expect(text).toMatch(/^commits +5$/m);
    expect(text).toMatch(/^would be repaired +4$/m);
    expect(text).toMatch(/^sessions that would be ended +2$/m);
    expect(text).toMatch(/^127\.0\.0\.1:51234 +main +observed /m);
    expect(text).not.toMatch(/^repaired/m);
  });

  it("says why an upstream accepts nobody, and that the proxy stops; nobody's text means anything to a terminal", () => {
    const name = "\u001b]0;x\u0007";
    const down: shape.UpstreamStatus = { ...UPSTREAM, name, state: "down", ready: false, reason: "the server is down" };
    const proxy = { ...STATUS.proxy, state: "stopping" } as const;
    const text = statusText(readStatus({ ...STATUS, proxy, upstreams: [down] }) as Status, NO_COLOURS);
    expect(text).toContain(", up 1 d 2 h, stopping\n");
    expect(text).toMatch(/^\\x1b\]0;x\\x07 +down/m);
    expect(text).toMatch(/^\\x1b\]0;x\\x07 accepts nobody: the server is down$/m);
    expect(text).not.toMatch(/[\u001b\u0007]/);
  });

  it("has what has come a second", () => {
    const before = readStatus({ ...STATUS, storages: [{ ...STORAGE, commits: 0 }] }) as Status;
    const text = statusText(readStatus(STATUS) as Status, NO_COLOURS, { status: before, seconds: 2 });
    expect(text).toMatch(/^commits +5 +2\.5$/m);
  });
});

describe("status", () => {
  it("shows it once, as the proxy says it with --json", async () => {
    const output = new Written();
    const place = await admin(json(STATUS));
    const never = new Promise(() => undefined);
    expect(await showStatus({ admin: asked(place), json: true, everyMs: undefined }, output, never)).toBe(true);
    expect(output.values).toEqual([JSON.parse(JSON.stringify(STATUS))]);
  });

  it("shows it again and again, past a proxy that is away, until it is to end", async () => {
    let count = 0;
    const place = await admin((request, response) => {
      count++;
      if (count === 2) response.destroy();
      else json(STATUS)(request, response);
    });
    const output = new Written(false, 80);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const shown = showStatus({ admin: asked(place), json: false, everyMs: 10 }, output, ended);
    await output.printed.atLeast(2);
    end();
    expect(await shown).toBe(true);
    expect(output.notes.all).toEqual([`zeo-proxy: ${place.name}: the connection was reset (ECONNRESET)`]);
    expect(output.printed.all[1]).toMatch(/^\u001b\[H\u001b\[2J\u001b\[3Jzeo-proxy 1\.2\.3/);
  });

  it("fails where it can't be had at all", async () => {
    const place = await admin(json({ hello: "world" }));
    const output = new Written();
    const never = new Promise(() => undefined);
    expect(await showStatus({ admin: asked(place), json: false, everyMs: 10 }, output, never)).toBe(false);
    expect(output.notes.all).toEqual([`zeo-proxy: ${place.name}: the answer is no status: no zeo-proxy?`]);
  });
});

test.each([
  [0, "0 s"],
  [59.9, "59 s"],
  [3_600, "1 h"],
  [3_661, "1 h 1 min"],
  [90_061, "1 d 1 h"],
])("%d seconds are %s", (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test("where something else than HTTP is spoken is said", async () => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined);
    socket.end(Buffer.from("000000025a35", "hex"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = `127.0.0.1:${(server.address() as { port: number }).port}`;
  await expect(fetchStatus(asked(parseAdmin(address) as AdminPlace))).rejects.toThrow(
    `${address}: the answer is no HTTP: is that admin.listen? (HPE_INVALID_CONSTANT)`,
  );
});

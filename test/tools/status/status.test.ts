import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { describe, expect, it, onTestFinished, test } from "vitest";
import { fetchStatus, parseAdmin } from "../../../src/tools/status/fetch.ts";
import { readStatus, type Status } from "../../../src/tools/status/reading.ts";
import { showStatus } from "../../../src/tools/status/status.ts";
import { durationText, statusText } from "../../../src/tools/status/text.ts";
import { Written } from "../serve.ts";

const STATUS = {
  version: "1.2.3",
  uptimeSeconds: 93_784,
  upstreams: [
    {
      name: "main",
      listen: "127.0.0.1:9100",
      server: "127.0.0.1:8100",
      state: "listening",
      clients: 2,
      accepted: 1_234,
      unrepaired: { tls: 1, mac: 2 },
    },
    { name: "\u001b]0;x\u0007", state: "down" },
  ],
  storages: [
    {
      server: "127.0.0.1:8100",
      storage: "1",
      commits: 5,
      foreign: 1,
      witness: "up",
      patched: "no",
      known: "040d52d8a9cac083",
    },
  ],
  clients: [{ client: "127.0.0.1:51234", upstream: "main", storage: "1", protocol: "Z5", ageSeconds: 61 }],
  totals: { completed: 7, ended: { "not-registered": 1, "client-too-slow": 2 }, odd: "text" },
};

async function admin(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<URL> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return parseAdmin(`127.0.0.1:${(server.address() as { port: number }).port}`) as URL;
}

const json = (value: unknown) => (_: IncomingMessage, response: ServerResponse) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
};
const asked = (url: URL) => ({ url, token: undefined, ca: undefined, timeoutMs: 5_000 });

test.each([
  ["127.0.0.1:9180", "http://127.0.0.1:9180/"],
  ["[::1]:9180", "http://[::1]:9180/"],
  ["https://a.example/proxy", "https://a.example/proxy"],
  ["a b", undefined],
  ["", undefined],
  ["http://u:p@a:1", undefined],
  ["a:1/?x", undefined],
])("the address %j", (text, url) => {
  expect(parseAdmin(text)?.href).toBe(url);
});

describe("a status", () => {
  it("is asked for at /status.json, with the token", async () => {
    let seen: unknown;
    const url = await admin((request, response) => {
      seen = [request.url, request.headers.authorization, request.headers.host];
      json(STATUS)(request, response);
    });
    expect(await fetchStatus({ ...asked(url), token: "abc" })).toEqual(STATUS);
    expect(seen).toEqual(["/status.json", "Bearer abc", url.host]);
  });

  it.each([
    [(response: ServerResponse) => response.writeHead(401).end(), "it wants a token (--token-file)"],
    [(response: ServerResponse) => response.writeHead(404).end(), "the answer is HTTP 404: no zeo-proxy?"],
    [(response: ServerResponse) => response.end("<html>"), "the answer is no JSON: no zeo-proxy?"],
    [(response: ServerResponse) => response.destroy(), "ECONNRESET"],
  ])("that is not to be had is one sentence: %#", async (answer, why) => {
    const url = await admin((_, response) => void answer(response));
    await expect(fetchStatus(asked(url))).rejects.toThrow(`${url.host}: ${why}`);
  });

  it("is not waited for without end", async () => {
    const url = await admin((_, response) => void response.write("{"));
    await expect(fetchStatus({ ...asked(url), timeoutMs: 300 })).rejects.toThrow("no answer in 0.3 s");
  });

  it.each([[{}], [[]], [null], ["text"], [{ upstreams: {} }]])("%j is none", (value) => {
    expect(readStatus(value)).toBeUndefined();
  });

  it("may lack anything", () => {
    const status = readStatus({ upstreams: [{}, 5], storages: [{}], clients: [{}] }) as Status;
    expect(statusText(status, { hasColours: false })).toContain("unknown");
    expect(status.totals.size).toBe(0);
  });

  it("is readable, and nobody's text means anything to a terminal", () => {
    const text = statusText(readStatus(STATUS) as Status, { hasColours: false });
    expect(text).toContain("zeo-proxy 1.2.3, up 1 d 2 h\n");
    expect(text).toMatch(/^main +listening +127\.0\.0\.1:9100 +127\.0\.0\.1:8100 +2 +1,234 +3$/m);
    expect(text).toMatch(/^\\x1b\]0;x\\x07 +down/m);
    expect(text).toMatch(/^1 +127\.0\.0\.1:8100 +up +no +5 +1 +040d52d8a9cac083$/m);
    expect(text).toMatch(/^ended +3$/m);
    expect(text).toMatch(/^127\.0\.0\.1:51234 +main +1 +Z5 +1 min 1 s/m);
    expect(text).not.toMatch(/[\u001b\u0007]/);
  });

  it("has what has come a second", () => {
    const now = readStatus(STATUS) as Status;
    const before = readStatus({ ...STATUS, totals: { completed: 2, ended: {} } }) as Status;
    const text = statusText(now, { hasColours: false }, { status: before, seconds: 2 });
    expect(text).toMatch(/^completed +7 +2\.5$/m);
  });
});

describe("status", () => {
  it("shows it once, as the proxy says it with --json", async () => {
    const output = new Written();
    const url = await admin(json(STATUS));
    const never = new Promise(() => undefined);
    expect(await showStatus({ admin: asked(url), json: true, everyMs: undefined }, output, never)).toBe(true);
    expect(output.values).toEqual([STATUS]);
  });

  it("shows it again and again, past a proxy that is away, until it is to end", async () => {
    let count = 0;
    const url = await admin((request, response) => {
      count++;
      if (count === 2) response.destroy();
      else json(STATUS)(request, response);
    });
    const output = new Written(false, 80);
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const shown = showStatus({ admin: asked(url), json: false, everyMs: 10 }, output, ended);
    await output.printed.atLeast(2);
    end();
    expect(await shown).toBe(true);
    expect(output.notes.all).toEqual([`zeo-proxy: ${url.host}: ECONNRESET`]);
    expect(output.printed.all[1]).toMatch(/^\u001b\[H\u001b\[2J\u001b\[3Jzeo-proxy 1\.2\.3/);
  });

  it("fails where it can't be had at all", async () => {
    const url = await admin(json({ hello: "world" }));
    const output = new Written();
    const never = new Promise(() => undefined);
    expect(await showStatus({ admin: asked(url), json: false, everyMs: 10 }, output, never)).toBe(false);
    expect(output.notes.all).toEqual([`zeo-proxy: ${url.host}: the answer is no status: no zeo-proxy?`]);
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
  await expect(fetchStatus(asked(parseAdmin(address) as URL))).rejects.toThrow(
    `${address}: the answer is no HTTP: is that admin.listen? (HPE_INVALID_CONSTANT)`,
  );
});

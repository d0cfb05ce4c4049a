import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { ConfigError } from "../../src/index.ts";
import { numbers } from "../admin/numbers.ts";
import { portOf, Visitor } from "../admin/visitor.ts";
import { copies, fixture } from "../net/certificates.ts";
import { freePort } from "../net/free-port.ts";
import { client, commits, door, started, type Scene } from "./reloaded.ts";
import { embeddedServer } from "./world.ts";

// The admin address while the configuration becomes another one: what it asks for, and what it shows.

const FIRST = "first-token-0123456789abcdef0123456789";
const SECOND = "second-token-0123456789abcdef012345678";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "zeo-proxy-admin-"));
  return () => rmSync(folder, { recursive: true, force: true });
});

function tokenFile(token: string, name = "token"): string {
  const file = join(folder, name);
  writeFileSync(file, `${token}\n`);
  chmodSync(file, 0o600);
  return file;
}

const adminOf = ({ gateway }: Scene): string => String(gateway.told("admin listening")[0]?.["address"]);

async function ask(scene: Scene, path: string, headers: Readonly<Record<string, string>> = {}) {
  const visitor = await Visitor.to(adminOf(scene));
  const answer = await visitor.ask(path, headers);
  visitor.socket.destroy();
  return answer;
}

const status = async (scene: Scene, headers: Readonly<Record<string, string>> = {}) =>
  (await ask(scene, "/livez", headers)).status;
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

describe("what the admin address asks for", () => {
  it("is another token at once, by another content or another file; who has shown the one before is cut off", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const admin = { listen: `127.0.0.1:${await freePort()}`, "token-file": tokenFile(FIRST) };
    const scene = await started([main], { admin });
    const visitor = await Visitor.to(adminOf(scene));
    expect(await visitor.ask("/livez", bearer(FIRST))).toMatchObject({ status: 200 });
    const looks = await Visitor.to(adminOf(scene));
    looks.say(`GET /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${FIRST}\r\n\r\n`);
    await expect.poll(() => looks.heard).toContain("event: overview");
    // The same one, read again, disturbs nobody.
    await scene.reload([main], { admin });
    expect(await visitor.ask("/livez", bearer(FIRST))).toMatchObject({ status: 200 });
    expect(looks.socket.destroyed).toBe(false);
    tokenFile(SECOND);
    expect(await status(scene, bearer(SECOND))).toBe(401);
    expect(await scene.reload([main], { admin })).toMatchObject({ needRestart: [] });
    expect([await status(scene, bearer(FIRST)), await status(scene, bearer(SECOND))]).toEqual([401, 200]);
    await visitor.closed;
    await looks.closed;
    const other = { ...admin, "token-file": tokenFile(FIRST, "other") };
    expect(await scene.reload([main], { admin: other })).toMatchObject({ changed: ["admin.token-file"] });
    expect([await status(scene, bearer(FIRST)), await status(scene, bearer(SECOND))]).toEqual([200, 401]);
    // Loopback needs none.
    await scene.reload([main], { admin: { listen: admin.listen } });
    expect(await status(scene)).toBe(200);
  });

  it("is another name at once", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const admin = { listen: `127.0.0.1:${await freePort()}` };
    const scene = await started([main], { admin });
    const named = { Host: "metrics.example" };
    expect(await status(scene, named)).toBe(421);
    expect(await scene.reload([main], { admin: { ...admin, hosts: ["metrics.example"] } })).toMatchObject({
      changed: ["admin.hosts"],
    });
    expect([await status(scene, named), await status(scene)]).toEqual([200, 200]);
    await scene.reload([main], { admin });
    expect(await status(scene, named)).toBe(421);
  });

  it("is shown by another certificate at once", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const files = copies();
    onTestFinished(() => files.remove());
    const own = (name: string) => fileURLToPath(new URL(`../admin/fixtures/${name}`, import.meta.url));
    const tls = { certificate: files.at("admin.pem"), key: files.at("admin.key") };
    copyFileSync(own("certificate.pem"), tls.certificate);
    copyFileSync(own("key.pem"), tls.key);
    chmodSync(tls.key, 0o600);
    const admin = { listen: `127.0.0.1:${await freePort()}`, tls, "token-file": tokenFile(FIRST) };
    const scene = await started([main], { admin });
    const shown = async (): Promise<string | undefined> => {
      const socket = connectTls({ port: portOf(adminOf(scene)), host: "127.0.0.1", rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const subject = socket.getPeerX509Certificate()?.subject;
      socket.destroy();
      return subject;
    };
    expect(await shown()).toBe("CN=localhost");
    files.of("proxy.pem", "admin.pem");
    files.of("proxy.key", "admin.key");
    expect(await shown()).toBe("CN=localhost");
    await scene.reload([main], { admin });
    expect(await shown()).toBe("CN=proxy.example");
    // A key that does not fit changes nothing.
    copyFileSync(fixture("zeo.key"), tls.key);
    await expect(scene.reload([main], { admin })).rejects.toThrow(ConfigError);
    expect(await shown()).toBe("CN=proxy.example");
  });

  it("refuses the whole reload where its token is no good; the next one is good", async () => {
    const server = await embeddedServer();
    const [main, comes] = [await door("main", server.port), await door("comes", server.port)];
    const admin = { listen: `127.0.0.1:${await freePort()}`, "token-file": tokenFile(FIRST) };
    const scene = await started([main], { admin });
    const writer = await client(main.port);
    for (const spoilt of ["short", "gone", "open"]) {
      const file = tokenFile(spoilt === "short" ? "short" : SECOND);
      if (spoilt === "gone") rmSync(file);
      if (spoilt === "open") chmodSync(file, 0o644);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const error: unknown = await scene
        .reload([{ ...main, deny: ["127.0.0.1"] }, comes], { admin: { ...admin, hosts: ["a.example"] } })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(ConfigError);
      expect((error as ConfigError).problems).toMatchObject([{ path: "admin.token-file" }]);
    }
    expect(await status(scene, bearer(FIRST))).toBe(200);
    expect(await status(scene, { ...bearer(FIRST), Host: "a.example" })).toBe(421);
    await commits(writer, 1, await client(main.port));
    tokenFile(SECOND);
    expect(await scene.reload([main, comes], { admin })).toMatchObject({ opened: ["comes"] });
    expect(await status(scene, bearer(SECOND))).toBe(200);
  });

  it("stays all as it is where the address is another one, and each reload says so until it is not", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const admin = { listen: `127.0.0.1:${await freePort()}`, "token-file": tokenFile(FIRST) };
    const scene = await started([main], { admin, log: { format: "json" } });
    const moved = { ...admin, listen: `127.0.0.1:${await freePort()}`, "token-file": tokenFile(SECOND, "other") };
    const options = ["admin.listen", "admin.token-file"];
    expect(await scene.reload([main], { admin: moved, log: { format: "json" } })).toMatchObject({
      changed: [],
      needRestart: options,
    });
    // Though it is the same as the last time: it is not in force.
    expect(await scene.reload([main], { admin: moved, log: { format: "pretty" } })).toMatchObject({
      changed: [],
      needRestart: ["log.format", ...options],
    });
    expect(
      await scene.reload([main], { admin: { ...moved, hosts: ["a.example"] }, log: { format: "pretty" } }),
    ).toMatchObject({ changed: [], needRestart: ["log.format", ...options, "admin.hosts"] });
    expect([await status(scene, bearer(FIRST)), await status(scene, bearer(SECOND))]).toEqual([200, 401]);
    expect(await scene.reload([main], { log: { format: "json" } })).toMatchObject({ needRestart: ["admin"] });
    expect(await status(scene, bearer(FIRST))).toBe(200);
    // As it was at the start, but for the token: that is in force.
    const back = { ...admin, "token-file": moved["token-file"] };
    expect(await scene.reload([main], { admin: back, log: { format: "json" } })).toMatchObject({
      changed: ["admin.token-file"],
      needRestart: [],
    });
    expect([await status(scene, bearer(FIRST)), await status(scene, bearer(SECOND))]).toEqual([401, 200]);
  });
});

/** The metrics that name an upstream, and the names. */
async function upstreamsIn(scene: Scene): Promise<{ readonly found: Map<string, number>; readonly labels: string[] }> {
  const found = numbers((await ask(scene, "/metrics")).body);
  const labels = [...found.keys()].flatMap((key) => /[{,]upstream="([^"]*)"/.exec(key)?.slice(1) ?? []);
  return { found, labels: [...new Set(labels)].sort() };
}

describe("what the admin address shows", () => {
  it("are the upstreams that there are: opened, renamed, opened anew and closed", async () => {
    const [one, two] = [await embeddedServer(), await embeddedServer()];
    const admin = { listen: `127.0.0.1:${await freePort()}` };
    const [a, b] = [await door("a", one.port), await door("b", two.port)];
    const scene = await started([a], { admin });
    // What was made a moment ago is told again.
    const shown = async (
      expected: Readonly<Record<string, readonly [accepted: number, now: number]>>,
    ): Promise<void> => {
      const read = async () => {
        const { found, labels } = await upstreamsIn(scene);
        const numbersOf = (name: string): [number | undefined, number | undefined] => [
          found.get(`zeo_proxy_clients_accepted_total{upstream="${name}"}`),
          found.get(`zeo_proxy_sessions{upstream="${name}",state="registered"}`),
        ];
        return Object.fromEntries(labels.map((name) => [name, numbersOf(name)]));
      };
      await expect.poll(read).toEqual(expected);
      const labels = Object.keys(expected).sort();
      const { upstreams } = JSON.parse((await ask(scene, "/status.json")).body) as { upstreams: { name: string }[] };
      expect(upstreams.map(({ name }) => name).sort()).toEqual(labels);
      expect((await ask(scene, "/readyz")).body).toBe("ok\n");
      const { found } = await upstreamsIn(scene);
      for (const name of labels) expect(found.get(`zeo_proxy_upstream_up{upstream="${name}"}`)).toBe(1);
    };
    await commits(await client(a.port), 1, await client(a.port));
    await shown({ a: [2, 2] });
    await scene.reload([a, b], { admin });
    await commits(await client(b.port), 1);
    await shown({ a: [2, 2], b: [1, 1] });
    await scene.reload([{ ...a, name: "renamed" }, b], { admin });
    await shown({ renamed: [2, 2], b: [1, 1] });
    // Anew, and before the other server: it begins at 0.
    await scene.reload([{ ...a, name: "renamed", server: b.server }, b], { admin });
    await shown({ renamed: [0, 0], b: [1, 1] });
    // The first server is nobody's any more.
    const { found } = await upstreamsIn(scene);
    expect([...found.keys()].filter((key) => key.includes(a.server ?? "none"))).toEqual([]);
    await client(a.port);
    await shown({ renamed: [1, 1], b: [1, 1] });
    await scene.reload([b], { admin });
    await shown({ b: [1, 1] });
  });

  it("is one that is being closed too, until it is gone; and who looks at the page goes on to", async () => {
    const server = await embeddedServer();
    const admin = { listen: `127.0.0.1:${await freePort()}` };
    const [a, b] = [await door("a", server.port), await door("b", server.port)];
    const scene = await started([a, b], { admin });
    const looks = await Visitor.to(adminOf(scene));
    looks.say("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const overviews = (): { upstreams: { name: string; state: string }[] }[] =>
      [...looks.heard.matchAll(/event: overview\ndata: (.*)\n/g)].map(
        ([, data]) => JSON.parse(data ?? "") as { upstreams: { name: string; state: string }[] },
      );
    const seen = (): string =>
      (overviews().at(-1)?.upstreams ?? []).map(({ name, state }) => `${name} ${state}`).join();
    await expect.poll(seen).toBe("a listening,b listening");
    const [writer, watcher] = [await client(b.port), await client(a.port)];
    const hold = server.gate.outgoing(({ method }) => method === "tpc_finish");
    const committed = commits(writer, 1, watcher);
    await hold.caught();
    const reloaded = scene.reload([{ ...a, name: "c" }], { admin });
    await expect.poll(seen, { timeout: 5_000 }).toBe("c listening,b stopped");
    expect((await upstreamsIn(scene)).labels).toEqual(["b", "c"]);
    // Nobody is to take the proxy away for it.
    expect(await ask(scene, "/readyz")).toMatchObject({ status: 200, body: "ok\n" });
    hold.open();
    await committed;
    await reloaded;
    await expect.poll(seen, { timeout: 5_000 }).toBe("c listening");
    await commits(watcher, 2, await client(a.port));
    expect(looks.socket.destroyed).toBe(false);
    await expect.poll(() => looks.heard.match(/event: rows/g)?.length ?? 0, { timeout: 5_000 }).toBeGreaterThan(1);
  });

  it("says of a server nothing that another one has shown whose upstream had the same name", async () => {
    const [bare, patched] = [await embeddedServer(), await embeddedServer()];
    const admin = { listen: `127.0.0.1:${await freePort()}` };
    const main = await door("main", bare.port);
    const scene = await started([main], { admin });
    interface Evidenced {
      readonly storages: { readonly server: string; readonly evidence: unknown }[];
    }
    const overview = async (): Promise<Evidenced["storages"]> => {
      const looks = await Visitor.to(adminOf(scene));
      looks.say("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
      await expect.poll(() => looks.heard).toMatch(/event: overview\ndata: .*\n\n/);
      looks.socket.destroy();
      const [, data = ""] = /event: overview\ndata: (.*)\n/.exec(looks.heard) ?? [];
      return (JSON.parse(data) as Evidenced).storages;
    };
    await commits(await client(main.port), 1, await client(main.port));
    expect(await overview()).toMatchObject([{ server: main.server, evidence: { created: 1 } }]);
    // By another name it is the same one, and shows the same.
    const renamed = { ...main, name: "renamed" };
    await scene.reload([renamed], { admin });
    expect(await overview()).toMatchObject([{ server: main.server, evidence: { created: 1 } }]);
    const other = { ...renamed, server: `127.0.0.1:${patched.port}` };
    await scene.reload([other], { admin });
    await client(main.port);
    expect(await overview()).toMatchObject([{ server: other.server, evidence: null }]);
  });
});

import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { lineHeader } from "../net/headers.ts";
import { Peer } from "./peer.ts";
import { client, commits, door, started, type Scene } from "./reloaded.ts";
import { embeddedServer } from "./world.ts";

// Who may come, changed while clients are connected: who has come stays, and counts.

async function from(address: string, port: number): Promise<Peer> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: address, allowHalfOpen: true });
  await once(socket, "connect");
  return new Peer(socket);
}

async function greeted(peer: Peer): Promise<Peer> {
  expect((await peer.frame()).toString()).toBe("Z5");
  return peer;
}

/** Closed, and nothing was said to it. */
async function turnedAway(peer: Peer): Promise<void> {
  await peer.end();
  expect(peer.waiting).toHaveLength(0);
}

const upstream = ({ proxy }: Scene) => proxy.stats().upstreams[0];

describe("a reload", () => {
  it("lets in whom the new lists allow; who is connected and denied now stays", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port, { allow: ["127.0.0.1"] });
    const scene = await started([main]);
    const [writer, watcher] = [await client(main.port), await client(main.port)];
    await turnedAway(await from("127.0.0.2", main.port));
    expect(await scene.reload([{ ...main, allow: ["127.0.0.2"], "accept-proxy": ["127.0.0.9"] }])).toMatchObject({
      reopened: [],
      changed: ["upstreams[0].allow", "upstreams[0].accept-proxy"],
    });
    await turnedAway(await from("127.0.0.1", main.port));
    await greeted(await from("127.0.0.2", main.port));
    await commits(writer, 1, watcher);
    await scene.reload([{ ...main, allow: [], deny: ["127.0.0.2/31"] }]);
    await turnedAway(await from("127.0.0.2", main.port));
    await greeted(await from("127.0.0.1", main.port));
    await commits(writer, 2, watcher);
    expect(upstream(scene)).toMatchObject({ refused: { denied: 3 }, clients: 4, state: "listening" });
  });

  it("counts who is connected in limits that are lower now, and lets others in when they are higher", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const scene = await started([main]);
    const before = [await client(main.port), await client(main.port), await client(main.port)] as const;
    await scene.reload([{ ...main, clients: 2 }]);
    await turnedAway(await from("127.0.0.2", main.port));
    await commits(before[0], 1, before[1]);
    expect(upstream(scene)).toMatchObject({ clients: 3, refused: { "upstream-full": 1 } });
    before[2].destroy();
    await scene.gateway.until(() => upstream(scene)?.clients === 2, "one has left");
    await turnedAway(await from("127.0.0.2", main.port));
    before[1].destroy();
    await scene.gateway.until(() => upstream(scene)?.clients === 1, "another one has left");
    await greeted(await from("127.0.0.2", main.port));
    await scene.reload([{ ...main, clients: 4 }]);
    await greeted(await from("127.0.0.2", main.port));
    await greeted(await from("127.0.0.2", main.port));
    await turnedAway(await from("127.0.0.2", main.port));
    await commits(before[0], 2);
  });

  it("counts who is connected from an address", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const scene = await started([main]);
    const [writer, watcher] = [await client(main.port), await client(main.port)];
    await scene.reload([{ ...main, "clients-per-address": 2 }]);
    await turnedAway(await from("127.0.0.1", main.port));
    await greeted(await from("127.0.0.2", main.port));
    watcher.destroy();
    await scene.gateway.until(() => upstream(scene)?.clients === 2, "one has left");
    await greeted(await from("127.0.0.1", main.port));
    await turnedAway(await from("127.0.0.1", main.port));
    await commits(writer, 1);
    expect(upstream(scene)?.refused).toEqual({ "address-full": 2 });
  });

  it("waits for PROXY headers from then on, or does not any more; places are those of who came", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const scene = await started([main]);
    const [writer, watcher] = [await client(main.port), await client(main.port)];
    const behind = { ...main, "accept-proxy": ["127.0.0.2"], "clients-per-address": 1 };
    await scene.reload([behind]);
    const header = lineHeader("TCP4", "192.0.2.7", "192.0.2.1", 56_324, 9100);
    const balanced = await from("127.0.0.2", main.port);
    balanced.write(header);
    await greeted(balanced);
    const again = await from("127.0.0.2", main.port);
    again.write(header);
    await turnedAway(again);
    expect(scene.gateway.told("client connected").at(-1)).toMatchObject({ client: "192.0.2.7:56324" });
    const silent = await from("127.0.0.2", main.port);
    await scene.reload([main]);
    // It waits by the rules that it came by.
    silent.write(lineHeader("TCP4", "192.0.2.8", "192.0.2.1", 1, 9100));
    await greeted(silent);
    const direct = await greeted(await from("127.0.0.2", main.port));
    expect(scene.gateway.told("client connected").at(-1)?.["client"]).toMatch(/^127\.0\.0\.2:/);
    await commits(writer, 1, watcher);
    for (const one of [balanced, silent, direct]) one.socket.destroy();
    await scene.gateway.until(() => upstream(scene)?.clients === 2, "they have left");
    // Each has left the place that it had: there is one for that address again.
    await scene.reload([behind]);
    const last = await from("127.0.0.2", main.port);
    last.write(header);
    await greeted(last);
  });

  it("warns of an address that nobody guards any more, once", async () => {
    const server = await embeddedServer();
    const main = await door("main", server.port);
    const open = { ...main, listen: main.listen.replace("127.0.0.1", "0.0.0.0"), allow: ["127.0.0.0/8"] };
    const { gateway, reload } = await started([open]);
    const warnings = () => gateway.lines.filter(({ msg }) => msg.startsWith("everybody who reaches this address"));
    expect(warnings()).toEqual([]);
    await reload([{ ...open, allow: [] }]);
    expect(warnings()).toMatchObject([{ upstream: "main" }]);
    await reload([{ ...open, allow: [], name: "other" }]);
    expect(warnings()).toHaveLength(1);
    await reload([{ ...open, "accept-proxy": true }]);
    expect(warnings()).toHaveLength(2);
  });
});

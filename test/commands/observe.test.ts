import { afterEach, describe, expect, it } from "vitest";
import { portOf } from "../admin/visitor.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { zeoProxy } from "./command.ts";
import { atEnd, configFile, leave } from "./stage.ts";

afterEach(leave);

const OID = "0000000000000001";
const OTHER = "0000000000000002";

describe("an upstream that observes", () => {
  it("tells what the server tells, and the log what it left out", async () => {
    const server = new EmbeddedServer({ protocol: "Z5" });
    await server.start();
    atEnd(() => server.close());
    const upstream = `{ name: main, listen: 127.0.0.1:0, server: 127.0.0.1:${server.port}, repair: observe }`;
    const command = zeoProxy(["run", "--config", configFile(`upstreams: [${upstream}]\nlimits: { clients: 100 }\n`)]);
    const { address } = await command.line(({ msg }) => msg === "listening", "listening");
    const join = async () => {
      const client = await EmbeddedClient.connect({ port: portOf(String(address)) });
      atEnd(() => client.close());
      return client;
    };
    const [writer, watcher] = [await join(), await join()];
    const commits = new ClientCommit(writer);
    await commits.commit({ create: [OID] });
    const tid = await commits.commit({ modify: [OID], create: [OTHER] });
    expect((await watcher.invalidation(tid)).oids).toEqual([OID]);
    const line = await command.line(({ msg }) => msg === "invalidation would be repaired", "what is left out");
    expect(line).toMatchObject({ upstream: "main", created: 1 });
    command.signal("SIGTERM");
    expect((await command.ended()).status).toBe(0);
    expect(command.lines.filter(({ msg }) => msg === "invalidation repaired")).toEqual([]);
  });
});

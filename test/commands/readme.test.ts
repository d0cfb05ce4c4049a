import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer } from "../../src/embedded/server.ts";
import { portOf, Visitor } from "../admin/visitor.ts";
import { expectGood } from "./checked.ts";
import { zeoProxy } from "./command.ts";
import { atEnd, leave } from "./stage.ts";

afterEach(leave);

/** The indented blocks of a section, as they stand there. */
function blocksUnder(heading: string): string[] {
  const [, behind = ""] = readFileSync("README.md", "utf8").split(`\n${heading}\n`);
  const [section = ""] = behind.split(/\n##/);
  return [...section.matchAll(/(?:^ {4}.*\n?)+/gm)].map(([block]) => block.replaceAll(/^ {4}/gm, ""));
}

describe("what the README says of TLS", () => {
  it("leads from no certificate to a proxy with the status page, as it stands there", async () => {
    const folder = mkdtempSync(join(tmpdir(), "zeo-proxy-readme-"));
    atEnd(() => rmSync(folder, { recursive: true }));
    const server = new EmbeddedServer({ protocol: "Z5" });
    await server.start();
    atEnd(() => server.close());
    const [make = "", yaml = "", probe = ""] = blocksUnder("### With TLS").map((block) =>
      block.replaceAll("/etc/zeo-proxy", folder),
    );
    execFileSync("sh", ["-ec", make], { stdio: "pipe" });
    // Zope's user reads both certificates; a key is its owner's.
    const modes = [".", "proxy.pem", "client.pem", "proxy.key", "client.key"].map(
      (name) => statSync(join(folder, name)).mode & 0o777,
    );
    expect(modes).toEqual([0o755, 0o644, 0o644, 0o600, 0o600]);

    const file = join(folder, "zeo-proxy.yaml");
    writeFileSync(file, yaml.replace("8100", String(server.port)).replace("9100", "0").replace("9180", "0"));
    expectGood(await zeoProxy(["check", file]).ended());
    const command = zeoProxy(["run", "--config", file]);
    const { address } = await command.line(({ msg }) => msg === "listening", "listening");
    const admin = await command.line(({ msg }) => msg === "admin listening", "the admin address");

    const [name, ...args] = probe.replace("9100", String(portOf(String(address)))).split(/[\s\\]+/);
    expect(name).toBe("zeo-proxy");
    const seen = await zeoProxy(args.filter((arg) => arg !== "")).ended();
    expect(seen).toMatchObject({ status: 0, stderr: "" });
    expect(seen.stdout).toMatch(/TLS +TLSv1\.3, .*, verified/);

    const read = (of: string): Buffer => readFileSync(join(folder, of));
    const dial = () => {
      const identity = { cert: read("client.pem"), key: read("client.key"), ca: read("proxy.pem") };
      const place = { port: portOf(String(address)), host: "127.0.0.1", servername: "localhost" };
      return { socket: connectTls({ ...place, ...identity }), ready: "secureConnect" } as const;
    };
    const client = await EmbeddedClient.connect({ port: 0, dial });
    atEnd(() => client.close());
    const [, , ...tls] = args;
    const sides = [`localhost:${portOf(String(address))}`, `127.0.0.1:${server.port}`];
    const compare = ["watch", "--compare", ...sides, "--tls-of", "proxy", ...tls.filter((arg) => arg !== "")];
    const comparison = zeoProxy([...compare, "--count", "1"]);
    await comparison.until(() => (comparison.stdout === "" ? undefined : true), "both connections");
    await new ClientCommit(client).commit({ create: ["0000000000000001"] });
    expect((await comparison.ended()).stdout).toMatch(/ all named +0 named, 1 left out\n$/);
    const metrics = await (await Visitor.to(String(admin["address"]))).ask("/metrics");
    expect(metrics.body).toContain(`zeo_proxy_commits_total{server="127.0.0.1:${server.port}",storage="1"} 1\n`);
    expect(await (await Visitor.to(String(admin["address"]))).ask("/")).toMatchObject({ status: 200 });
  });
});

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../src/config/load.ts";
import { linter } from "./linters.ts";
import { withoutOptionsToCome } from "./options.ts";

const FOLDER = "config/compose";

interface Service {
  readonly image?: string;
  readonly build?: string | { readonly context: string; readonly dockerfile: string };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly security_opt: readonly string[];
  readonly stop_grace_period?: string;
  readonly ulimits?: { readonly nofile: number };
  readonly networks: readonly string[] | Readonly<Record<string, { readonly ipv4_address: string }>>;
}

const read = (file: string): string => readFileSync(join(FOLDER, file), "utf8");
const compose = parse(read("compose.yaml"), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
  readonly networks: {
    readonly inside: { readonly ipam: { readonly config: readonly { readonly subnet: string }[] } };
  };
};
const { services } = compose;
const haproxy = read("haproxy.cfg");
const example = parse(read("zeo-proxy.yaml")) as {
  readonly upstreams: readonly { readonly "accept-proxy": readonly string[]; readonly allow: readonly string[] }[];
  readonly admin: { readonly listen: string };
};
const config = parseConfig(withoutOptionsToCome({ ...example }));
const [main] = config.upstreams;

function addressOf(service: string): string | undefined {
  const { networks } = services[service] ?? {};
  return networks === undefined || Array.isArray(networks)
    ? undefined
    : (networks as Record<string, { ipv4_address: string }>)["inside"]?.ipv4_address;
}

const proxies = Object.keys(services).filter((name) => name.startsWith("proxy-"));

describe("the compose example", () => {
  it("has HAProxy, two proxies and a ZEO server", () => {
    expect(Object.keys(services)).toEqual(["haproxy", "proxy-a", "proxy-b", "zeo"]);
  });

  it.each(Object.keys(services))("%s may change nothing but its data, and has no privilege", (name) => {
    const { read_only, cap_drop, security_opt, volumes = [] } = services[name] as Service;
    expect({ read_only, cap_drop, security_opt }).toEqual({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
    for (const volume of volumes) {
      const [from = "", , mode] = volume.split(":");
      if (!from.startsWith("./")) expect(compose.volumes).toHaveProperty(from);
      else expect({ from, exists: existsSync(join(FOLDER, from)), mode }).toEqual({ from, exists: true, mode: "ro" });
    }
  });

  it("builds what is there", () => {
    for (const { build } of Object.values(services)) {
      if (build === undefined) continue;
      const file = typeof build === "string" ? `${build}/Containerfile` : join(build.context, build.dockerfile);
      expect(existsSync(join(FOLDER, file)), file).toBe(true);
    }
  });

  it("publishes HAProxy alone, on this machine alone", () => {
    const ports = Object.entries(services).flatMap(([name, { ports: all = [] }]) => all.map((one) => `${name} ${one}`));
    expect(ports).toEqual(["haproxy 127.0.0.1:9100:9100"]);
    expect(haproxy).toMatch(/^ +bind :9100$/m);
  });

  it("sends clients to the proxies, where these listen, and says who the client is", () => {
    const servers = [...haproxy.matchAll(/^ +server \w+ (\S+?):(\d+)/gm)].map(([, host, port]) => [host, Number(port)]);
    expect(servers).toEqual(proxies.map((name) => [addressOf(name), main?.listen.port]));
    expect(main?.listen.host).toBe("0.0.0.0");
    expect(haproxy).toMatch(/^ +default-server .*\bsend-proxy-v2 check-send-proxy$/m);
    // From HAProxy, and from nobody else.
    expect(example.upstreams.map((one) => one["accept-proxy"])).toEqual([[addressOf("haproxy")]]);
    const [{ subnet } = { subnet: "" }] = compose.networks.inside.ipam.config;
    const start = subnet.replace(/0\/24$/, "");
    for (const name of ["haproxy", ...proxies]) expect(addressOf(name)?.startsWith(start)).toBe(true);
  });

  it("has the proxies before the ZEO server, on its port", () => {
    expect(Object.keys(services)).toContain(main?.server.host);
    expect(read("zeo/zeo.conf")).toMatch(new RegExp(`^ +address 0\\.0\\.0\\.0:${main?.server.port}$`, "m"));
    expect(read("zeo/zeo.conf")).toContain(`<filestorage ${main?.storages[0]}>`);
  });

  it("gives the proxies what the defaults need", () => {
    for (const name of proxies) {
      const { stop_grace_period: grace = "", ulimits } = services[name] as Service;
      expect(Number(/^(\d+)s$/.exec(grace)?.[1]) * 1000).toBeGreaterThan(config.limits.drainMs + 8_000);
      expect(ulimits?.nofile).toBeGreaterThan(2 * config.limits.clients + 100);
    }
  });

  it("asks each proxy for its health where it answers", () => {
    const [, line = "[]"] = /^HEALTHCHECK .*CMD (\[.*\])$/m.exec(readFileSync("config/Containerfile", "utf8")) ?? [];
    const asked = JSON.parse(line) as string[];
    expect(asked.slice(1)).toEqual(["health", "--config", "/etc/zeo-proxy.yaml"]);
    for (const name of proxies) {
      expect(services[name]?.volumes).toEqual([`./zeo-proxy.yaml:${asked.at(-1)}:ro`]);
    }
    // In the container alone, and not at a port that only the proxy knows.
    expect(example.admin.listen).toMatch(/^127\.0\.0\.1:[1-9]/);
  });
});

const checker = linter("usr/sbin", "haproxy", "-v");

it.skipIf(!checker.isThere)(
  "HAProxy takes its configuration, without a warning",
  () => {
    const { status, output } = checker.run("-c", "-f", `${FOLDER}/haproxy.cfg`);
    expect(status, output).toBe(0);
    expect(output).not.toMatch(/WARNING|ALERT/);
  },
  60_000,
);

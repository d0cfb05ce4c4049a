import { connect, createServer, type AddressInfo } from "node:net";
import type { Connection, ConnectionHandler } from "../../src/session/connection.ts";
import type * as library from "../../src/index.ts";
import { answerParent } from "./answers.ts";
import { ownFiles } from "./tls-files.ts";
import type { RelayWay } from "./ways.ts";

/** The process in the middle: `pipe SERVER-PORT`, `bare SERVER-PORT` or `proxy SERVER-PORT MODULE`, `watched` for a proxy with a witness,
 * `looked-at SERVER-PORT MODULE ADMIN` for one that has an admin address, `tls` and `tls-both`. */

export type NodeRelayWay = Exclude<RelayWay, "haproxy">;

/** What it has used so far. */
export interface Usage {
  /** User and system time, in microseconds. */
  readonly cpuUs: number;
  /** The most resident memory that it has had, in bytes. */
  readonly peakBytes: number;
  /** Announcements that it has changed or made. */
  readonly repaired: number;
}

export type RelayAsks = {
  readonly port: { readonly ask: undefined; readonly answer: number };
  readonly usage: { readonly ask: undefined; readonly answer: Usage };
};

interface Relay {
  readonly port: number;
  repaired(): number;
}

async function startPipe(serverPort: number): Promise<Relay> {
  const relay = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const server = connect({ port: serverPort, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    client.pipe(server).pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => relay.listen({ port: 0, host: "127.0.0.1", backlog: 4096 }, resolve));
  return { port: (relay.address() as AddressInfo).port, repaired: () => 0 };
}

/** The sockets of the proxy, and nothing that looks at what passes. */
async function startBare(serverPort: number): Promise<Relay> {
  const { SocketTransport } = await import("../../src/net/socket-transport.ts");
  const transport = new SocketTransport(60_000);
  const passing = (to: Connection): ConnectionHandler => ({
    read: (bytes) => void to.write(bytes),
    ended: () => to.carryOut("end"),
    drained: () => undefined,
    closed: () => to.carryOut("destroy"),
  });
  const port = await new Promise<number>((listening, failed) => {
    transport.listen(
      { host: "127.0.0.1", port: 0 },
      {
        listening: (address) => listening(address.port ?? 0),
        failed: (code) => failed(new Error(code)),
        hindered: () => undefined,
        accepted: (client) =>
          void transport.dial(
            { host: "127.0.0.1", port: serverPort },
            {
              failed: () => client.carryOut("destroy"),
              connected: (server) => {
                server.handOver(passing(client));
                client.handOver(passing(server));
              },
            },
          ),
      },
    );
  });
  return { port, repaired: () => 0 };
}

/** A transaction of very many objects takes longer to be read than anybody waits for it on a site. */
const WITNESS = { hold: "60s", "catch-up": { time: "60s" } };

interface ProxyTraits {
  readonly witness?: "on" | "off";
  /** Where its admin server listens. */
  readonly admin?: string | undefined;
  readonly tls?: "clients" | "both";
}

function tlsOf(tls: ProxyTraits["tls"]): object {
  if (tls === undefined) return {};
  const file = ownFiles("proxy.pem", "proxy.key", "ca.pem");
  return {
    tls: { certificate: file("proxy.pem"), key: file("proxy.key") },
    ...(tls === "both" && { "server-tls": { ca: file("ca.pem"), name: "zeo.example" } }),
  };
}

async function startProxy(
  serverPort: number,
  module: string,
  { witness = "off", admin, tls }: ProxyTraits = {},
): Promise<Relay> {
  // Not above: a plain pipe has no need of all this.
  const { createProxy } = (await import(module)) as typeof library;
  const proxy = createProxy({
    upstreams: [{ name: "bench", listen: "127.0.0.1:0", server: `127.0.0.1:${serverPort}`, witness, ...tlsOf(tls) }],
    witness: WITNESS,
    ...(admin === undefined ? {} : { admin: { listen: admin } }),
  });
  await proxy.start();
  const port = Number(proxy.stats().upstreams[0]?.listen?.split(":").at(-1));
  return {
    port,
    repaired: () => {
      const { completed, synthesized, guard, ended } = proxy.stats();
      if (guard > 0 || Object.keys(ended).length > 0) throw new Error(`sessions were ended: ${JSON.stringify(ended)}`);
      return completed + synthesized;
    },
  };
}

const [kind, serverPort, module = "", admin] = process.argv.slice(2);
const startBefore: Readonly<Record<NodeRelayWay, (serverPort: number) => Promise<Relay>>> = {
  pipe: startPipe,
  bare: startBare,
  proxy: (port) => startProxy(port, module),
  watched: (port) => startProxy(port, module, { witness: "on" }),
  "looked-at": (port) => startProxy(port, module, { admin }),
  tls: (port) => startProxy(port, module, { tls: "clients" }),
  "tls-both": (port) => startProxy(port, module, { tls: "both" }),
};
const relay = startBefore[kind as NodeRelayWay](Number(serverPort));

answerParent<RelayAsks>({
  port: async () => (await relay).port,
  usage: async () => {
    const { user, system } = process.cpuUsage();
    const peakBytes = process.resourceUsage().maxRSS * 1024;
    return { cpuUs: user + system, peakBytes, repaired: (await relay).repaired() };
  },
});

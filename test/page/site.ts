import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { createProxy, type Proxy } from "../../src/index.ts";
import { ClientCommit } from "../../src/embedded/client-commit.ts";
import { EmbeddedClient } from "../../src/embedded/client.ts";
import { EmbeddedServer, type EmbeddedServerOptions } from "../../src/embedded/server.ts";
import { systemClock } from "../../src/net/system-clock.ts";
import { Feed } from "../../src/page/feed.ts";
import { Readers } from "../../src/page/readers.ts";
import type { Route } from "../../src/admin/route.ts";
import { pageRoutes } from "../../src/page/routes.ts";

/** Serves these routes, and nothing else, on a port of its own. Returns its address. */
export async function serveRoutes(routes: readonly Route[]): Promise<{ readonly url: string; readonly http: Server }> {
  const byPath = new Map(routes.map((route) => [route.path, route]));
  const http = createServer((request, response) => {
    const [path = "/"] = (request.url ?? "/").split("?");
    const route = byPath.get(path);
    if (route === undefined) response.writeHead(404).end();
    else route.handle(request, response);
  });
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, http };
}

/** The page before a real proxy, before an embedded server. */
export class Site {
  readonly url: string;
  readonly http: Server;
  readonly feed: Feed;
  readonly readers: Readers;
  readonly proxy: Proxy;
  readonly server: EmbeddedServer;

  constructor(url: string, http: Server, feed: Feed, readers: Readers, proxy: Proxy, server: EmbeddedServer) {
    this.url = url;
    this.http = http;
    this.feed = feed;
    this.readers = readers;
    this.proxy = proxy;
    this.server = server;
  }

  get port(): number {
    return Number(this.proxy.stats().upstreams[0]?.listen?.split(":").at(-1));
  }

  async connect(): Promise<EmbeddedClient> {
    const client = await EmbeddedClient.connect({ port: this.port });
    onTestFinished(() => client.destroy());
    return client;
  }

  /** One that commits, and one that is told. */
  async pair(): Promise<{ readonly writer: ClientCommit; readonly watcher: EmbeddedClient }> {
    const writer = new ClientCommit(await this.connect());
    return { writer, watcher: await this.connect() };
  }
}

export async function site(options: EmbeddedServerOptions = {}, { isObserved = false } = {}): Promise<Site> {
  const server = new EmbeddedServer(options);
  await server.start();
  onTestFinished(() => server.close());
  const feed = new Feed(systemClock, "0.0.0-test");
  const upstream = {
    name: "main",
    listen: "127.0.0.1:0",
    server: `127.0.0.1:${server.port}`,
    witness: "off",
    repair: isObserved ? "observe" : "on",
  } as const;
  const proxy = createProxy({ limits: { drain: "1s" }, upstreams: [upstream] }, { feed });
  await proxy.start();
  onTestFinished(() => proxy.stop());
  const readers = new Readers(feed);
  const { url, http } = await serveRoutes(pageRoutes(feed, readers));
  return new Site(url, http, feed, readers, proxy, server);
}

/** The n-th oid. */
export function oid(n: number): string {
  return n.toString(16).padStart(16, "0");
}

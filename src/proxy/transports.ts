import type { Config, UpstreamConfig } from "../config/schema.ts";
import { askedName, serverName } from "../config/transport-rules.ts";
import type { ServerTlsConfig, TlsConfig } from "../config/transport-schema.ts";
import type { Report } from "../happening/happening.ts";
import { Credentials } from "../net/credentials.ts";
import { SocketTransport } from "../net/socket-transport.ts";
import { MAX_HANDSHAKES } from "../net/tls-acceptor.ts";

interface OfUpstream {
  readonly upstream: UpstreamConfig;
  readonly transport: SocketTransport;
  readonly tls: Credentials<TlsConfig> | undefined;
  readonly serverTls: Credentials<ServerTlsConfig> | undefined;
}

/** How each upstream's two sides are reached: by a transport of its own, with its certificates. */
export class Transports {
  readonly #report: Report;
  readonly #all = new Map<string, OfUpstream>();

  /** @throws ConfigError where a certificate or a key can't be read any more, or does not fit */
  constructor(config: Config, report: Report) {
    this.#report = report;
    const { keepAliveMs, limits } = config;
    for (const [index, upstream] of config.upstreams.entries()) {
      this.#all.set(upstream.name, this.#make(upstream, index, keepAliveMs, limits.handshakeMs));
    }
  }

  #make(upstream: UpstreamConfig, index: number, keepAliveMs: number, handshakeMs: number): OfUpstream {
    const { name, socket: file } = upstream;
    const tls = upstream.tls && new Credentials(upstream.tls, `upstreams[${index}].tls`);
    const serverTls = upstream.serverTls && new Credentials(upstream.serverTls, `upstreams[${index}].server-tls`);
    const identity = serverTls && {
      credentials: serverTls,
      askedName: askedName(upstream),
      name: serverName(upstream),
    };
    const transport = new SocketTransport(keepAliveMs, {
      file,
      tls,
      serverTls: identity,
      handshakeMs,
      tlsFailed: (party, peer, reason) => this.#report({ what: "tls-failed", upstream: name, party, peer, reason }),
    });
    return { upstream, transport, tls, serverTls };
  }

  of(name: string): SocketTransport {
    const one = this.#all.get(name);
    if (one === undefined) throw new Error(`no upstream ${name}`);
    return one.transport;
  }

  /** How many descriptors handshakes may take, beside the clients. */
  get descriptors(): number {
    let sum = 0;
    for (const { tls } of this.#all.values()) if (tls !== undefined) sum += MAX_HANDSHAKES;
    return sum;
  }

  /** Says which server anybody can pretend to be. */
  warn(): void {
    for (const { upstream, serverTls } of this.#all.values()) {
      if (serverTls?.settings.verify === "off") this.#report({ what: "unverified", upstream: upstream.name });
    }
  }

  /**
   * Reads all certificates and keys again. Connections that there are go on with what they began with.
   * @throws ConfigError where one can't be read, or does not fit: then all are as they were
   */
  reload(): void {
    const all = [...this.#all.values()].flatMap(({ tls, serverTls }) => [tls?.prepare(), serverTls?.prepare()]);
    for (const exchange of all) exchange?.();
  }
}

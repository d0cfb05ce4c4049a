import type { Address } from "../config/address.ts";
import type { UpstreamConfig } from "../config/schema.ts";
import { askedName, serverName } from "../config/transport-rules.ts";
import type { ServerTlsConfig, TlsConfig } from "../config/transport-schema.ts";
import type { Report } from "../happening/happening.ts";
import { Credentials } from "../net/credentials.ts";
import { SocketTransport } from "../net/socket-transport.ts";
import type { Settings } from "./settings.ts";

/** How the two sides of one upstream are reached: by a transport of its own, with its certificates. */
export class Ways {
  readonly transport: SocketTransport;
  readonly #tls: Credentials<TlsConfig> | undefined;
  readonly #serverTls: Credentials<ServerTlsConfig> | undefined;
  #name: string;

  /**
   * `index`: where the upstream stands in the configuration, for messages.
   * @throws ConfigError where a certificate or a key can't be read any more, or does not fit
   */
  constructor(config: UpstreamConfig, index: number, { keepAliveMs, limits }: Settings, report: Report) {
    const { name, socket: file } = config;
    this.#name = name;
    this.#tls = config.tls && new Credentials(config.tls, placeOf(index, "tls"));
    this.#serverTls = config.serverTls && new Credentials(config.serverTls, placeOf(index, "server-tls"));
    const identity = this.#serverTls && {
      credentials: this.#serverTls,
      // Each of its servers has its own, unless they have one together.
      names: (server: Address) => ({
        askedName: askedName({ ...config, server }),
        name: serverName({ ...config, server }),
      }),
    };
    this.transport = new SocketTransport(keepAliveMs, {
      file,
      tls: this.#tls,
      serverTls: identity,
      get handshakeMs() {
        return limits.handshakeMs;
      },
      tlsFailed: (party, peer, reason) => report({ what: "tls-failed", upstream: this.#name, party, peer, reason }),
    });
  }

  /**
   * Reads certificates and keys again, by what the configuration says now. Connections that there are go on with what they
   * began with.
   * @returns what puts them in force
   * @throws ConfigError where one can't be read, or does not fit: then all is as it was
   */
  prepare(config: UpstreamConfig, index: number): () => void {
    const tls = this.#tls?.prepare(config.tls, placeOf(index, "tls"));
    const serverTls = this.#serverTls?.prepare(config.serverTls, placeOf(index, "server-tls"));
    return () => {
      this.#name = config.name;
      tls?.();
      serverTls?.();
    };
  }
}

function placeOf(index: number, option: string): string {
  return `upstreams[${index}].${option}`;
}

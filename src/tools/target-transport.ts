import type { Address } from "../config/address.ts";
import { codeOf } from "../net/system-error.ts";
import type { Dialled, Transport } from "../upstream/transport.ts";
import { dialTarget, type TlsClient } from "./dial.ts";
import { StreamConnection } from "./stream-connection.ts";
import { formatTarget, type Target } from "./target.ts";

/** Connections to one target, whatever address is asked for: a witness knows no Unix sockets and no TLS. */
export class TargetTransport implements Transport {
  readonly #target: Target;
  readonly #tls: TlsClient | undefined;

  constructor(target: Target, tls?: TlsClient) {
    this.#target = target;
    this.#tls = tls;
  }

  dial(_address: Address, dialled: Dialled): () => void {
    const { socket, ready } = dialTarget(this.#target, this.#tls);
    let isOver = false;
    const failed = (error: Error): void => {
      if (isOver) return;
      isOver = true;
      dialled.failed(codeOf(error) === "unknown" ? error.message : codeOf(error));
    };
    socket.on("error", failed);
    // A TLS server that hangs up in the middle of the handshake is no error to Node.
    const closed = (): void => failed(new Error("closed while it was dialled"));
    socket.once("close", closed);
    socket.once(ready, () => {
      if (isOver) return;
      isOver = true;
      socket.off("close", closed);
      dialled.connected(new StreamConnection(socket, formatTarget(this.#target)));
    });
    return () => {
      if (isOver) return;
      isOver = true;
      socket.destroy();
    };
  }

  listen(): () => void {
    throw new Error("a tool listens nowhere");
  }

  shortage(): undefined {
    return undefined;
  }
}

import type { Admin } from "../admin/admin.ts";
import type { Route } from "../admin/route.ts";
import { formatAddress } from "../config/address.ts";
import type { AdminConfig } from "../config/admin.ts";
import { ConfigError } from "../config/problem.ts";
import type { Report } from "../happening/happening.ts";
import type { Inspected } from "../metrics/inspected.ts";
import { codeOf } from "../net/system-error.ts";
import type { Feed } from "../page/feed.ts";
import type { Readers } from "../page/readers.ts";
import { ListenError } from "./errors.ts";
import type { Apply } from "./reloadable.ts";

export interface AdminSideHost {
  readonly inspected: Inspected;
  readonly feed: Feed | undefined;
  readonly report: Report;
}

/** The admin address of a proxy, and the status page at it. Loaded when it is opened: most of that is Node's own HTTP. */
export class AdminSide {
  readonly #host: AdminSideHost;
  #admin: Admin | undefined;
  #config: AdminConfig | undefined;
  #readers: Readers | undefined;
  #isOver = false;

  constructor(host: AdminSideHost) {
    this.#host = host;
  }

  /**
   * @throws ConfigError where the token or the certificate can't be used
   * @throws ListenError
   */
  async open(config: AdminConfig): Promise<void> {
    const { inspected, report } = this.#host;
    const [{ openAdmin }, routes] = await Promise.all([import("../admin/admin.ts"), this.#pageRoutes()]);
    const failed = (error: unknown): void => report({ what: "admin-failed", error });
    try {
      this.#admin = await openAdmin(config, { inspected, routes, failed });
      this.#config = config;
    } catch (error) {
      const code = codeOf(error);
      if (error instanceof ConfigError || code === "unknown") throw error;
      throw new ListenError(undefined, formatAddress(config.listen), code, { cause: error });
    }
    if (this.#isOver) await this.stop();
    else report({ what: "admin-listening", address: this.#admin.address });
  }

  /**
   * Reads token and certificate again. What it returns puts them in force. What needs a restart keeps all as it is: a token that
   * another address need not have is needed here.
   * @throws ConfigError
   */
  prepare(config: AdminConfig | undefined): Apply {
    const [admin, before] = [this.#admin, this.#config];
    if (config === undefined || admin === undefined || before === undefined) return () => undefined;
    const isSame = formatAddress(config.listen) === formatAddress(before.listen);
    if (!isSame || (config.tls === undefined) !== (before.tls === undefined)) return () => undefined;
    return admin.prepare(config);
  }

  async #pageRoutes(): Promise<Route[]> {
    const { feed } = this.#host;
    if (feed === undefined) return [];
    const [{ pageRoutes }, { Readers: Made }] = await Promise.all([
      import("../page/routes.ts"),
      import("../page/readers.ts"),
    ]);
    this.#readers = new Made(feed);
    return pageRoutes(feed, this.#readers);
  }

  /** Also one that is being opened. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#readers?.end();
    await this.#admin?.stop();
  }
}

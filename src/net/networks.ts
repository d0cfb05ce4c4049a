import { BlockList, isIP } from "node:net";
import type { Network } from "../config/network.ts";

/** A list of networks. */
export class Networks {
  readonly #ipv4 = new BlockList();
  readonly #ipv6 = new BlockList();
  readonly isEmpty: boolean;

  constructor(networks: readonly Network[]) {
    this.isEmpty = networks.length === 0;
    // Apart: in one list `::/0` would have all IPv4 addresses, too, as mapped ones.
    for (const { family, address, prefix } of networks) {
      (family === "ipv4" ? this.#ipv4 : this.#ipv6).addSubnet(address, prefix, family);
    }
  }

  /** `host` in one spelling (`plainAddress`); what is none is in no network. */
  has(host: string | undefined): boolean {
    switch (host === undefined ? 0 : isIP(host)) {
      case 4:
        return this.#ipv4.check(host as string, "ipv4");
      case 6:
        return this.#ipv6.check(host as string, "ipv6");
      default:
        return false;
    }
  }
}

import type { Address } from "../../config/address.ts";
import { formatAddress } from "../../config/address.ts";
import { tidHex } from "../../wire/ids.ts";
import type { Probe } from "../probe/probe.ts";
import { optionsText, upstreamOptionsText } from "./options-text.ts";

export interface ConfigWanted {
  readonly listen: Address;
  readonly server: Address;
  /** TLS with the server: `server-tls` as YAML spells it, in that order. Undefined: none. */
  readonly serverTls?: Readonly<Record<string, string>> | undefined;
  /** What was found there; undefined: nobody looked. */
  readonly found: Probe | undefined;
}

/** A configuration for that server, with a comment for everything that could be said, too. */
export function configText({ listen, server, serverTls, found }: ConfigWanted): string {
  const storages = (found?.storages ?? []).filter(({ ok }) => ok).map(({ storage }) => storage);
  const given = new Set(["name", "listen", "server"]);
  if (storages.length > 0) given.add("storages");
  if (serverTls !== undefined) given.add("server-tls");
  const options = upstreamOptionsText("    ", given);
  return [
    "# zeo-proxy's configuration, written by `zeo-proxy init`. A key behind one `# ` has its default, or an example where that is",
    "# said above it: take away these signs to say something else. `zeo-proxy check FILE` reads it and starts nothing.",
    "",
    ...aboutServer(found).map((line) => `# ${line}`),
    "upstreams:",
    "  - name: main # what log and statistics call it",
    `    listen: ${quoted(formatAddress(listen))} # where clients connect`,
    `    server: ${quoted(formatAddress(server))} # the ZEO server`,
    ...(serverTls === undefined
      ? []
      : [
          "    server-tls: # all of its options stand in the documentation",
          ...Object.entries(serverTls).map(([key, value]) => `      ${key}: ${quoted(value)}`),
        ]),
    ...(storages.length > 0
      ? [
          "    # what others commit there is read from the first moment on, not from the first client on",
          `    storages: ${JSON.stringify(storages)}`,
        ]
      : []),
    options.trimEnd(),
    "",
    optionsText(),
  ].join("\n");
}

function aboutServer(found: Probe | undefined): string[] {
  if (found === undefined) return ["Nobody has looked at the server."];
  const { look: seen, storages, problems } = found;
  if (seen.kind !== "zeo") return [`Nothing was found at the server's address: ${problems.join("; ")}.`];
  const lines = [`The server at ${found.address} announced ${seen.announced}.`];
  if (seen.tls !== undefined) lines.push(`It speaks TLS (${seen.tls.version}).`);
  for (const one of storages) {
    if (one.ok) lines.push(`Storage ${JSON.stringify(one.storage)}: last transaction ${tidHex(one.last)}.`);
  }
  return lines;
}

/** Plain where YAML reads it as it stands; a bracket begins a list there, say. */
function quoted(value: string): string {
  return /^[\w/][\w./:-]*$/.test(value) ? value : JSON.stringify(value);
}

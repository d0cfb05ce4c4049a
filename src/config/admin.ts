import { isIPv6 } from "node:net";
import { z } from "zod";
import { canonicalHost, formatAddress, parseAddress, parseTcpAddress, type Address } from "./address.ts";

// Where metrics and status are served, and for whom.

/** Where the admin server listens: a TCP address, or the path of a Unix socket. */
export type AdminAddress = Address;

const listenExpected = "HOST:PORT such as 127.0.0.1:9180, port 0 for any free one, or the absolute path of a socket";

const listen = z.string({ error: listenExpected }).transform((text, context): AdminAddress => {
  const address = parseAddress(text);
  if (address !== undefined) return address;
  context.addIssue({ code: "custom", message: listenExpected, input: text });
  return z.NEVER;
});

const fileExpected = "the name of a file";
const file = z.string({ error: fileExpected }).min(1, { error: fileExpected });

const hostExpected = "a host's name or address without a port, such as zeo.example.com";
const host = z
  .string({ error: hostExpected })
  .refine(isHost, { error: hostExpected })
  .transform((text) => canonicalHost(text));

const tlsKeys = { error: "a map with the keys certificate, key" };

const keys = { error: "a map with the keys listen, token-file, tls, hosts" };

/** `admin` as YAML spells it. */
export const adminSchema = z
  .strictObject(
    {
      listen: listen
        .describe(
          "`HOST:PORT`, or the absolute path of a Unix socket, for metrics, health and status over HTTP: see [The admin " +
            "address](#the-admin-address)",
        )
        .meta({ change: "restart", example: "127.0.0.1:9180" }),
      "token-file": file
        .optional()
        .describe(
          "a file with one line of 32 to 1,024 visible characters, which others must not be able to read. Every request must " +
            "show it; needed where others than this machine can connect",
        )
        .meta({ unset: "none", change: "at once" }),
      tls: z
        .strictObject(
          {
            certificate: file
              .describe("a PEM file with the certificate, and those that lead to its authority")
              .meta({ change: "at once" }),
            key: file
              .describe("a PEM file with its key, which others must not be able to read")
              .meta({ change: "at once" }),
          },
          tlsKeys,
        )
        .optional()
        .describe("serve by HTTPS; needed where others than this machine can connect")
        .meta({ unset: "none", change: "restart" }),
      hosts: z
        .array(host, { error: "a list of names of hosts" })
        .prefault([])
        .describe("names, beside the listening address and localhost, by which the admin address is asked")
        .meta({ change: "at once" }),
    },
    keys,
  )
  .superRefine((given, context) => {
    if (isThisMachine(given.listen) || (given["token-file"] !== undefined && given.tls !== undefined)) return;
    const message = "an address of this machine alone such as 127.0.0.1:9180, or both token-file and tls";
    context.addIssue({ code: "custom", path: ["listen"], message, input: formatAddress(given.listen) });
  })
  .transform((given) => ({
    listen: given.listen,
    tokenFile: given["token-file"],
    tls: given.tls,
    hosts: given.hosts,
  }));

/** The admin server's part of a checked configuration. */
export type AdminConfig = z.output<typeof adminSchema>;

/** Can nobody but this machine's own processes connect there, as far as the text tells? */
export function isThisMachine(address: AdminAddress): boolean {
  if (address.path !== undefined) return true;
  const known = canonicalHost(address.host);
  return known === "localhost" || known === "::1" || /^127\.\d+\.\d+\.\d+$/.test(known);
}

function isHost(text: string): boolean {
  return parseTcpAddress(isIPv6(text) ? `[${text}]:1` : `${text}:1`) !== undefined;
}

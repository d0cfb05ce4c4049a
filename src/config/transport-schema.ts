import { z } from "zod";
import { accountId } from "./accounts.ts";
import { map, oneOf, SWITCH } from "./schema-parts.ts";

// How an upstream's two sides are reached: the file of a Unix socket, TLS for clients, TLS with the server.

const modeExpected = 'an octal mode in quotes such as "0660"';
const mode = z
  .string({ error: modeExpected })
  .regex(/^0[0-7]{3}$/, { error: modeExpected })
  .transform((text) => Number.parseInt(text, 8));

function account(of: "owner" | "group") {
  const kind = of === "owner" ? "user" : "group";
  const expected = `a ${kind} of this machine, by name (of /etc/${of === "owner" ? "passwd" : "group"}) or number`;
  return z.union([z.string(), z.number()], { error: expected }).transform((given, context): number => {
    const id = accountId(of, given);
    if (id !== undefined) return id;
    context.addIssue({ code: "custom", message: expected, input: given });
    return z.NEVER;
  });
}

/** The file of a listening Unix socket. */
export const socket = map({
  mode: mode
    .prefault("0660")
    .describe("who may connect to a listening Unix socket, in quotes. Before it is set nobody may")
    .meta({ change: "the upstream" }),
  owner: account("owner")
    .optional()
    .describe("whose the socket is: a name of `/etc/passwd`, or a number")
    .meta({ unset: "the process's", change: "the upstream" }),
  group: account("group")
    .optional()
    .describe("its group: a name of `/etc/group`, or a number")
    .meta({ unset: "the process's", change: "the upstream" }),
});

const fileExpected = "the absolute path of a file";
const file = z.string({ error: fileExpected }).regex(/^\/[^\p{Cc}\p{Zl}\p{Zp}]+$/u, { error: fileExpected });

const MINIMA = ["1.2", "1.3"] as const;
const minimum = z
  .union([z.enum(MINIMA), z.literal(1.2), z.literal(1.3)], { error: oneOf(MINIMA) })
  .prefault("1.2")
  .transform((given) => (Number(given) === 1.3 ? ("1.3" as const) : ("1.2" as const)))
  .describe("the oldest version of TLS that is spoken")
  .meta({ change: "at once" });

const CLIENTS = ["none", "optional", "required"] as const;

/** TLS with clients. */
export const tls = map({
  certificate: file
    .describe(
      "what clients are shown: a PEM file, the certificate first, then those that it rests on. All files here are absolute paths",
    )
    .meta({ change: "at once", example: "/etc/zeo-proxy/proxy.pem" }),
  key: file
    .describe("its private key, without a passphrase. One that everybody on the machine can read is refused")
    .meta({ change: "at once", example: "/etc/zeo-proxy/proxy.key" }),
  ca: file
    .optional()
    .describe("the authorities that clients' certificates must be of")
    .meta({ unset: "none", change: "at once", example: "/etc/zeo-proxy/clients.pem" }),
  clients: z
    .enum(CLIENTS, { error: oneOf(CLIENTS) })
    .prefault("none")
    .describe(
      "whether clients must show a certificate: `none` (they are not asked), `optional` (one that is shown must be good), `required`",
    )
    .meta({ change: "at once", example: "required" }),
  minimum,
});

const nameExpected = "a host name such as zeo.example.com";

/** TLS with the server. */
export const serverTls = map({
  ca: file
    .optional()
    .describe("the server's certificate must be of these authorities, or be this one if it has signed itself")
    .meta({ unset: "those of Node", change: "at once", example: "/etc/zeo-proxy/zeo.pem" }),
  certificate: file
    .optional()
    .describe("what the server is shown; ZEO's own `ssl` always wants to see one")
    .meta({ unset: "none", change: "at once", example: "/etc/zeo-proxy/proxy.pem" }),
  key: file
    .optional()
    .describe("its private key, as above")
    .meta({ unset: "none", change: "at once", example: "/etc/zeo-proxy/proxy.key" }),
  name: z
    .string({ error: nameExpected })
    .regex(/^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$/, { error: nameExpected })
    .optional()
    .describe(
      "the name that the server's certificate must have, and that it is asked for. Needed where `server` is a path",
    )
    .meta({ unset: "the server's host", change: "the upstream" }),
  verify: z
    .enum(SWITCH, { error: oneOf(SWITCH) })
    .prefault("on")
    .describe("`off`: whoever answers is taken for the server. There is a warning at the start")
    .meta({ change: "at once" }),
  minimum,
});

export type SocketConfig = z.output<typeof socket>;
export type TlsConfig = z.output<typeof tls>;
export type ServerTlsConfig = z.output<typeof serverTls>;

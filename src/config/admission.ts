import { z } from "zod";
import { parseNetwork, type Network } from "./network.ts";

// Who may come to an upstream's listening address. All of it can change at a reload without touching a connection.

const expected = 'a network such as 10.0.0.0/8 or "2001:db8::/32" with no bits set behind its prefix, or an address';
/** No limit at all: nobody has so many descriptors. */
export const MOST_CLIENTS = 1_000_000;

const AT_ONCE = { change: "at once" };

const network = z.string({ error: expected }).transform(read);

const networks = z.array(network, { error: "a list of networks and addresses" }).prefault([]);

const clientsExpected = `a whole number from 1 to ${MOST_CLIENTS}`;
const clients = z
  .int({ error: clientsExpected })
  .min(1, { error: clientsExpected })
  .max(MOST_CLIENTS, { error: clientsExpected })
  .prefault(MOST_CLIENTS);

/** The options of an upstream that {@link admissionOf} reads. */
export const admissionOptions = {
  allow: networks.describe("networks that clients may come from; an empty list allows all").meta(AT_ONCE),
  deny: networks.describe("networks that no client may come from, whatever allow says").meta(AT_ONCE),
  clients: clients
    .describe("client connections of the upstream; whoever comes beyond it is closed at once")
    .meta(AT_ONCE),
  "clients-per-address": clients
    .describe("client connections of the upstream from one address; whoever comes beyond it is closed at once")
    .meta(AT_ONCE),
  "accept-proxy": z
    .union([z.boolean(), z.array(z.string())], { error: "true, false, or a list of networks and addresses" })
    .transform((given, context) =>
      typeof given === "boolean" ? given : given.map((text, index) => read(text, context, [index])),
    )
    .prefault(false)
    .describe("a PROXY header stands before all that a client says: of all (true), or of those from these networks")
    .meta(AT_ONCE),
};

interface AdmissionInput {
  readonly allow: readonly Network[];
  readonly deny: readonly Network[];
  readonly clients: number;
  readonly "clients-per-address": number;
  readonly "accept-proxy": boolean | readonly Network[];
}

/** Who may come to an upstream. */
export interface AdmissionConfig {
  /** Empty: everybody. */
  readonly allow: readonly Network[];
  readonly deny: readonly Network[];
  readonly clients: number;
  readonly clientsPerAddress: number;
  /** Who sends a PROXY header: everybody, nobody, or those of these networks. */
  readonly acceptProxy: boolean | readonly Network[];
}

/** Takes them out of an upstream's options, and leaves the others. */
export function admissionOf<Rest extends object>({
  allow,
  deny,
  clients: most,
  "clients-per-address": clientsPerAddress,
  "accept-proxy": acceptProxy,
  ...rest
}: AdmissionInput & Rest): Omit<Rest, keyof AdmissionInput> & { readonly admission: AdmissionConfig } {
  return { ...rest, admission: { allow, deny, clients: most, clientsPerAddress, acceptProxy } };
}

function read(text: string, context: z.core.$RefinementCtx, path: PropertyKey[] = []): Network {
  const found = parseNetwork(text);
  if (found !== undefined) return found;
  context.addIssue({ code: "custom", message: expected, input: text, path });
  return z.NEVER;
}

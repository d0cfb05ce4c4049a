import { RemoteError } from "../../embedded/remote-error.ts";
import { escapeText } from "../../log/text.ts";
import type { TlsClient } from "../dial.ts";
import { formatTarget, type Target } from "../target.ts";
import { downText } from "../watch/reasons.ts";
import { encodings, type Encoding } from "./encodings.ts";
import { look, type Greeted, type Look } from "./look.ts";
import { patchedByReading, type PatchedFacts } from "./patched.ts";
import { scratch, type Scratch } from "./scratch.ts";
import type { Site } from "./site.ts";
import { storageFacts, type StorageFacts } from "./storage-facts.ts";

export interface ProbeOptions {
  readonly target: Target;
  readonly tls?: TlsClient;
  readonly storages: readonly string[];
  /** Make a transaction in each storage. */
  readonly write: boolean;
  /** Ask for nothing but what a monitor shows: no encodings, and whether it is patched only with `write`. */
  readonly brief?: boolean;
  readonly timeoutMs: number;
  /** What is being done now. */
  readonly doing?: (what: string) => void;
}

/** A storage that was asked for: what it shows, or why it can't be had. `patched`: undefined where that was not asked for. */
export type StorageProbe =
  | ({
      readonly ok: true;
      readonly patched: PatchedFacts | undefined;
      readonly scratch: Scratch | undefined;
    } & StorageFacts)
  | { readonly ok: false; readonly storage: string; readonly problem: string };

/** What was found at an address. Texts are escaped. */
export interface Probe {
  readonly address: string;
  readonly look: Look;
  /** Empty where no storage could be asked for, or encodings were not. */
  readonly encodings: readonly Encoding[];
  readonly storages: readonly StorageProbe[];
  /** What is wrong, as sentences without their point; empty: nothing. */
  readonly problems: readonly string[];
}

/** Looks at what is at an address. Never rejects. */
export async function probe(options: ProbeOptions): Promise<Probe> {
  const { target, tls, timeoutMs, brief = false, doing = () => undefined } = options;
  const address = formatTarget(target);
  doing(`connecting to ${address}`);
  const seen = await look(target, tls, timeoutMs);
  const nothing = { address, look: seen, encodings: [], storages: [] };
  if (seen.kind !== "zeo") return { ...nothing, problems: [lookText(seen, tls?.ca !== undefined)] };
  if (seen.protocol === undefined)
    return { ...nothing, problems: [`its protocol, ${seen.announced}, is not known here`] };
  const site: Site = {
    target,
    // Found by itself: whatever the certificate is, nothing but `--write` tells the server anything.
    tls: tls ?? (seen.tls === undefined ? undefined : { verify: false }),
    protocol: seen.protocol,
    timeoutMs,
  };
  const storages: StorageProbe[] = [];
  for (const storage of options.storages) {
    doing(`asking for storage ${escapeText(storage)}`);
    storages.push(await storageProbe(site, storage, options, doing));
  }
  const known = brief ? undefined : storages.find(({ ok }) => ok);
  if (known !== undefined) doing("trying encodings");
  return {
    address,
    look: seen,
    encodings: known === undefined ? [] : await encodings(site, known.storage),
    storages,
    problems: storages.flatMap((one) =>
      one.ok ? [] : [`storage ${JSON.stringify(escapeText(one.storage))}: ${one.problem}`],
    ),
  };
}

async function storageProbe(
  site: Site,
  storage: string,
  { write, brief }: Pick<ProbeOptions, "write" | "brief">,
  doing: (what: string) => void,
): Promise<StorageProbe> {
  try {
    const facts = await storageFacts(site, storage);
    if (!write && brief === true) return { ok: true, ...facts, patched: undefined, scratch: undefined };
    if (!write) {
      doing(`reading what storage ${escapeText(storage)} remembers`);
      return { ok: true, ...facts, patched: await patchedByReading(site, storage), scratch: undefined };
    }
    if (facts.readOnly) return { ok: false, storage, problem: "it is read-only: nothing can be written there" };
    doing(`making a transaction in storage ${escapeText(storage)}`);
    const made = await scratch(site, storage);
    return { ok: true, ...facts, patched: { patched: made.patched, evidence: made.evidence }, scratch: made };
  } catch (error) {
    return { ok: false, storage, problem: problemOf(error) };
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof RemoteError)) return escapeText(error instanceof Error ? error.message : String(error));
  // Raised by `register` of all versions for a storage that the server does not have.
  if (error.method === "register" && /(?:^|\.)ValueError$/.test(error.type)) return "the server does not have it";
  return `the server refuses ${error.method}: ${escapeText(error.type)}`;
}

/** What is there instead of a ZEO server. `isCaNamed`: --tls-ca says who is trusted. */
function lookText(seen: Exclude<Look, Greeted>, isCaNamed: boolean): string {
  switch (seen.kind) {
    case "unreachable":
      return downText(seen.reason);
    case "silent":
      return "it accepts and says nothing, and speaks no TLS either";
    case "foreign":
      return "what it says is no ZEO server's greeting";
    case "untrusted":
      return downText(seen.reason, { isCaNamed });
    case "closed-tls":
      return `it speaks TLS, and then: ${downText(seen.reason)} (it may want a client's certificate: --tls-certificate, --tls-key)`;
    default:
      return seen satisfies never;
  }
}

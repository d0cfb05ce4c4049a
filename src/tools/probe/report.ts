import { escapeText } from "../../log/text.ts";
import { tidTime } from "../../report/tid-time.ts";
import { NO_TID, tidHex, tidTimeMs } from "../../wire/ids.ts";
import { paint, type Colour, type Output } from "../output.ts";
import type { Patched } from "./patched.ts";
import type { Probe, StorageProbe } from "./probe.ts";
import type { TlsFacts } from "./tls-facts.ts";

type Colours = Pick<Output, "hasColours">;

const COLOURS: Readonly<Record<Patched, Colour>> = { yes: "green", no: "red", unknown: "yellow" };
const LABEL_WIDTH = 19;

/** What was found, a line for each fact. */
export function probeText(found: Probe, colours: Colours): string {
  const lines: string[] = [];
  const say = (label: string, text: string): void => {
    lines.push(`${label.padEnd(LABEL_WIDTH)}${text}`);
  };
  const { look: seen, problems } = found;
  say("address", found.address);
  say("reachable", seen.kind === "unreachable" ? paint(colours, "red", "no") : "yes");
  if (seen.kind === "zeo") {
    say("protocol", protocolText(found));
    say("TLS", seen.tls === undefined ? "no" : tlsText(seen.tls));
    say("connected in", `${milliseconds(seen.connectMs)}, greeted ${milliseconds(seen.greetMs)} later`);
    if (found.encodings.length > 0) say("encodings", found.encodings.join(", "));
  } else if (seen.kind === "closed-tls" || seen.kind === "untrusted") say("TLS", tlsText(seen.tls));
  for (const storage of found.storages) lines.push("", ...storageLines(storage, colours));
  if (problems.length > 0) lines.push("");
  for (const problem of problems) say("problem", paint(colours, "red", problem));
  return `${lines.join("\n")}\n`;
}

function protocolText({ look: seen }: Probe): string {
  if (seen.kind !== "zeo") return "";
  const { announced, protocol } = seen;
  if (protocol === undefined) return `${announced}, not known here`;
  return `${announced} (${protocol.family === "old" ? "ZODB3, or ZEO 4 or before" : "ZEO 5 or later"})`;
}

function tlsText({ version, cipher, subject, issuer, validTo, unverified }: TlsFacts): string {
  const until = validTo === undefined ? "" : `, valid to ${validTo.slice(0, 10)}`;
  const trust = unverified === undefined ? "verified" : `not verified: ${unverified}`;
  return `${version}, ${cipher}; certificate of ${subject}, by ${issuer}${until}, ${trust}`;
}

function storageLines(found: StorageProbe, colours: Colours): string[] {
  const line = (label: string, text: string): string => `  ${label.padEnd(LABEL_WIDTH - 2)}${text}`;
  const head = `storage ${JSON.stringify(escapeText(found.storage))}`;
  if (!found.ok) return [head, line("problem", paint(colours, "red", found.problem))];
  const { last, roundTripMs, readOnly, name, objects, bytes, clients, patched, scratch } = found;
  const [min, median, max] = roundTripMs.map(milliseconds);
  const lines = [
    head,
    line("last transaction", last === NO_TID ? "none" : `${tidHex(last)}, ${tidTime(last)}`),
    line("round trip", `${median} (${min} to ${max})`),
    line("writable", readOnly ? "no" : "yes"),
  ];
  if (name !== undefined) lines.push(line("its name", name));
  if (objects !== undefined) lines.push(line("objects", objects.toLocaleString("en")));
  if (bytes !== undefined) lines.push(line("size", `${bytes.toLocaleString("en")} bytes`));
  if (clients !== undefined) lines.push(line("clients", `${clients}, this one included`));
  if (scratch !== undefined) lines.push(line("written", `${tidHex(scratch.tid)}: created ${scratch.oid}`));
  if (patched !== undefined)
    lines.push(line("patched", `${paint(colours, COLOURS[patched.patched], patched.patched)}: ${patched.evidence}`));
  return lines;
}

export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

/** The same as a value for JSON; `nowMs`: milliseconds since 1970. */
export function probeFields(found: Probe, nowMs: number): object {
  const { address, look: seen, problems } = found;
  const isZeo = seen.kind === "zeo";
  const tls = isZeo || seen.kind === "closed-tls" || seen.kind === "untrusted" ? seen.tls : undefined;
  return {
    address,
    ok: problems.length === 0,
    found: seen.kind,
    protocol: isZeo ? seen.announced : null,
    family: isZeo ? (seen.protocol?.family ?? null) : null,
    tls: tls ?? null,
    connectMs: isZeo ? seen.connectMs : null,
    greetMs: isZeo ? seen.greetMs : null,
    encodings: found.encodings,
    storages: found.storages.map((one) => storageFields(one, nowMs)),
    problems,
  };
}

function storageFields(found: StorageProbe, nowMs: number): object {
  if (!found.ok) return found;
  const { last, roundTripMs, patched, scratch, ...rest } = found;
  const [min, median, max] = roundTripMs;
  const isEmpty = last === NO_TID;
  return {
    ...rest,
    last: isEmpty ? null : tidHex(last),
    time: isEmpty ? null : tidTime(last),
    ageSeconds: isEmpty ? null : Math.max(0, (nowMs - tidTimeMs(last)) / 1_000),
    roundTripMs: { min, median, max },
    patched: patched?.patched ?? null,
    evidence: patched?.evidence ?? null,
    written: scratch === undefined ? null : { tid: tidHex(scratch.tid), oid: scratch.oid, told: scratch.told },
  };
}

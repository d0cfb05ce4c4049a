import { escapeText } from "../log/text.ts";
import type { UpstreamStats } from "../proxy/api.ts";

/** So many upstreams are named that do not listen. */
const NAMED = 3;

/** What `systemctl status` shows in one line: how many upstreams listen, which others do not and why, and the clients. */
export function statusText(upstreams: readonly Pick<UpstreamStats, "name" | "state" | "clients">[]): string {
  const others = upstreams.filter(({ state }) => state !== "listening");
  const clients = upstreams.reduce((sum, one) => sum + one.clients, 0);
  const all = upstreams.length;
  const listening =
    others.length === 0 ? counted(all, "upstream") : `${all - others.length} of ${counted(all, "upstream")}`;
  return escapeText(`${listening} listening${reasons(others)}, ${counted(clients, "client")}`);
}

function reasons(others: readonly Pick<UpstreamStats, "name" | "state">[]): string {
  if (others.length === 0) return "";
  const named = others.slice(0, NAMED).map(({ name, state }) => `${shortened(name)}: ${state}`);
  const rest = others.length - named.length;
  return ` (${named.join(", ")}${rest > 0 ? `, and ${rest} more` : ""})`;
}

/** A name may be 300 characters long. */
function shortened(name: string): string {
  return name.length > 40 ? `${name.slice(0, 37)}...` : name;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What is between the clients and the server. */
export type Way = "direct" | "haproxy" | "pipe" | "proxy" | "bare" | "watched" | Side;
/** The proxy as `proxy`, and beside it: who looks at its admin address; TLS with its clients; TLS with its server, too. */
export type Side = "looked-at" | "tls" | "tls-both";
export type RelayWay = Exclude<Way, "direct">;

export const WAYS: readonly Way[] = ["direct", "haproxy", "pipe", "proxy"];

/** And the proxy's sockets with nothing between them, where that is wanted: what is above it is for what the proxy knows. */
export const BARE: Way = "bare";

export const SIDES: readonly Side[] = ["looked-at", "tls", "tls-both"];

/** The proxy with its witness. Elsewhere it has none: what that costs is measured on its own. */
export const WATCHED: Way = "watched";

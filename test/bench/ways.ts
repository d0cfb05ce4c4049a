/** What is between the clients and the server. */
export type Way = "direct" | "haproxy" | "pipe" | "proxy";
export type RelayWay = Exclude<Way, "direct">;

export const WAYS: readonly Way[] = ["direct", "haproxy", "pipe", "proxy"];

import type { TcpAddress } from "../config/address.ts";
import { formatAddress } from "../config/address.ts";
import type { ServerProtocol } from "../embedded/behaviour.ts";

/** Who can connect, and how to install it. */
const CLIENTS: Readonly<Record<ServerProtocol, readonly [string, string]>> = {
  Z4: ["ZEO 4, or ZEO 5.0 to 5.3", "pip install 'ZEO<5.4'"],
  Z5: ["ZEO 5 or 6", "pip install ZEO"],
  M5: ["ZEO 5.1 or later", "pip install 'ZEO[msgpack]'"],
};

/** How to reach both ports with a real client. */
export function advice(protocol: ServerProtocol, server: TcpAddress, proxy: TcpAddress): string {
  const [clients, install] = CLIENTS[protocol];
  const python = ({ host, port }: TcpAddress): string =>
    `python -c "import ZEO; print(ZEO.connection(('${host}', ${port})).root()['greeting'])"`;
  return [
    `Both ports stay open until Ctrl-C. Real clients (${clients}; ${install}) find the same database on both:`,
    "",
    `  ${formatAddress(server)}, the server:`,
    `    ${python(server)}`,
    `  ${formatAddress(proxy)}, the proxy:`,
    `    ${python(proxy)}`,
    "",
    "Write through either; what is repaired for the clients of the proxy is logged here.",
  ].join("\n");
}

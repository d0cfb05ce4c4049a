import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { CommandProcess } from "../commands/command.ts";
import { configFile } from "../commands/stage.ts";

/** Fewer are not enough to load the program. */
export const FEW_DESCRIPTORS = 160;

/** The built command, in a process that may have so many descriptors open. */
export async function limited(
  descriptors: number,
  config: string,
): Promise<{ command: CommandProcess; port: number; openDescriptors: () => number }> {
  const start = `ulimit -n ${descriptors}; exec "${process.execPath}" bin/zeo-proxy run --config "${configFile(config)}"`;
  const command = new CommandProcess("sh", ["-c", start]);
  onTestFinished(() => void command.child.kill("SIGKILL"));
  const { address } = await command.line(({ msg }) => msg === "listening", "listening");
  const { pid } = command.child;
  return {
    command,
    port: Number(String(address).split(":")[1]),
    openDescriptors: () => readdirSync(`/proc/${pid}/fd`).length,
  };
}

/** Where a test can count another process's descriptors. */
export const canCount = existsSync("/proc/self/fd");

/** A connection that is only there. */
export async function idle(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  socket.on("data", () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

/** Until it is so, which nothing announces. Only a hang reaches the limit. */
export async function until(ready: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!ready()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

import { chmodSync, chownSync, existsSync, lstatSync, unlinkSync, type Stats } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname } from "node:path";
import { isMainThread } from "node:worker_threads";
import { codeOf } from "./system-error.ts";

/** Who may connect to a Unix socket: the bits of its mode, and whose it is where that is not to be the process's own. */
export interface SocketFile {
  readonly mode: number;
  readonly owner?: number | undefined;
  readonly group?: number | undefined;
}

const PROCESS_OWN = -1;
const NOBODY = 0o777;

/**
 * Listens at a path that is free. Until its owner and its mode are right nobody may connect: it is made without any
 * permission.
 * @throws nothing: what goes wrong is the server's `error`
 */
export function listenAt(server: Server, path: string): void {
  // Only the main thread may do that; the mode is set behind it in any case.
  const before = isMainThread ? process.umask(NOBODY) : undefined;
  try {
    server.listen({ path, exclusive: true });
  } finally {
    if (before !== undefined) process.umask(before);
  }
}

/** Why it is not listened on: libuv says EACCES of a folder that is not there, too (`uv_pipe_bind`, as of 1.46). */
export function listenFault(path: string, error: unknown): string {
  const code = codeOf(error);
  return code === "EACCES" && !existsSync(dirname(path)) ? "ENOENT" : code;
}

/**
 * Opens it for those that it is for.
 * @throws the system's error: `EPERM` where this process may not give it to that owner or group
 */
export function admit(path: string, { mode, owner, group }: SocketFile): void {
  if (owner !== undefined || group !== undefined) chownSync(path, owner ?? PROCESS_OWN, group ?? PROCESS_OWN);
  chmodSync(path, mode);
}

/**
 * Removes the file of a process that has died: only a socket at which nobody answers. `done` is called once, not while this
 * runs: with the code and the error why it can't be, `EADDRINUSE` where somebody answers, `ENOTSOCK` where it is no socket.
 */
export function removeStale(path: string, done: (code?: string, cause?: unknown) => void): void {
  const file = statOf(path);
  if (file !== undefined && !file.isSocket()) {
    process.nextTick(done, "ENOTSOCK", new Error(`${path} is no socket`));
    return;
  }
  const probe = connect({ path });
  probe.once("connect", () => {
    probe.destroy();
    done("EADDRINUSE", new Error(`somebody listens at ${path}`));
  });
  probe.once("error", (error) => {
    switch (codeOf(error)) {
      case "ENOENT":
        done();
        return;
      case "ECONNREFUSED":
        removeOnly(file, path, done);
        return;
      default:
        // Somebody whose queue is full, or whom this process may not ask.
        done("EADDRINUSE", error);
    }
  });
}

/** Not what somebody else may have put there meanwhile. */
function removeOnly(file: Stats | undefined, path: string, done: (code?: string, cause?: unknown) => void): void {
  const now = statOf(path);
  if (now !== undefined && (now.ino !== file?.ino || now.dev !== file.dev)) {
    done("EADDRINUSE", new Error(`somebody else listens at ${path}`));
    return;
  }
  try {
    if (now !== undefined) unlinkSync(path);
  } catch (error) {
    done(codeOf(error), error);
    return;
  }
  done();
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

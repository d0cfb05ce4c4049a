import { spawn, type ChildProcess } from "node:child_process";

/** Says something to the service manager, one message at a time. */
export interface Voice {
  /**
   * Says these assignments, such as `READY=1`, at most four, as one message; none holds a tab or a line end. `done` is told
   * why it was not taken, or undefined where it was. To be called again behind that, or as the last word before `close`.
   */
  readonly say: (message: readonly string[], done: (failure: string | undefined) => void) => void;
  /** What is being said is still said; nothing is afterwards. */
  readonly close: () => void;
}

/**
 * Reads a message a line, says it, and answers with systemd-notify's exit status and output in one line. It leaves with
 * whoever has started it, whose pipe it reads, and not for a signal that the whole service gets: the last message is that it
 * stops.
 */
const SCRIPT = `
trap '' HUP INT QUIT TERM USR1 USR2 PIPE
set -f
tab=$(printf '\\t')
while IFS=$tab read -r one two three four; do
  output=$(systemd-notify "$one" \${two:+"$two"} \${three:+"$three"} \${four:+"$four"} </dev/null 2>&1)
  status=$?
  set -- $output
  printf '%s %s\\n' "$status" "$*"
done
`;

/**
 * Says it through `systemd-notify`: Node has no datagram sockets of the kind that systemd listens at. To start a process from
 * this one stops its event loop for as long as the system copies its page tables; so a shell is started once, while it is
 * small, and that one starts the program for each message. It is started again where it has died.
 */
export function shellVoice(env: Readonly<Record<string, string | undefined>>): Voice {
  const { PATH, NOTIFY_SOCKET } = env;
  let shell: ChildProcess | undefined;
  let answered: ((failure: string | undefined) => void) | undefined;

  const answer = (failure: string | undefined): void => {
    const told = answered;
    answered = undefined;
    told?.(failure);
  };

  const start = (): ChildProcess => {
    const child = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "pipe", "ignore"], env: { PATH, NOTIFY_SOCKET } });
    const leave = (reason: string): void => {
      if (shell !== child) return;
      shell = undefined;
      answer(reason);
    };
    child.on("error", (error) => leave(error.message));
    child.on("exit", (status, signal) => leave(`the shell that says it has ended (${signal ?? status})`));
    // It has died: its end is told above.
    child.stdin?.on("error", () => undefined);
    let unread = "";
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      unread += text;
      const end = unread.indexOf("\n");
      if (end < 0) return;
      const line = unread.slice(0, end);
      unread = unread.slice(end + 1);
      answer(failureIn(line));
    });
    // None of it keeps the process alive.
    child.unref();
    for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref?: () => void } | null)?.unref?.();
    return child;
  };

  return {
    say: (message, done) => {
      answered = done;
      shell ??= start();
      shell.stdin?.write(`${message.join("\t")}\n`);
    },
    close: () => {
      answered = undefined;
      shell?.stdin?.end();
      shell = undefined;
    },
  };
}

/** 127: there is no such program. */
function failureIn(line: string): string | undefined {
  const [, status = "", output = ""] = /^(\d+) (.*)$/.exec(line) ?? [];
  if (status === "0") return undefined;
  return output === "" ? `systemd-notify ended with ${status}` : output;
}

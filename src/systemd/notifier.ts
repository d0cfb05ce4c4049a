import type { Clock } from "../clock.ts";
import type { Voice } from "./voice.ts";

/** How often the status is looked at where no watchdog wants to hear more often. */
const BEAT_MS = 10_000;
/** A status that changes all the time is told that often. */
const STATUS_MS = 1_000;

/** What a service manager is told of. */
export interface ServiceManager {
  /** It serves, for the first time or behind a reload. */
  readonly ready: () => void;
  /** It reads its configuration again, until `ready`. */
  readonly reloading: () => void;
  /** It stops. */
  readonly stopping: () => void;
  /** The status may have changed. */
  readonly look: () => void;
  /** Nothing is told any more. */
  readonly end: () => void;
}

export interface NotifierHost {
  readonly clock: Clock;
  readonly voice: Voice;
  readonly watchdogMs: number | undefined;
  /** One line of text. */
  readonly status: () => string;
  /** Microseconds of the system's monotonic clock: which reload it was. */
  readonly monotonicMicros: () => bigint;
  /** It can't be told; asked once, until `heard`. */
  readonly failed: (reason: string) => void;
  readonly heard: () => void;
}

/**
 * Decides what the service manager is told, and when: each state once and in order, a status that has changed, and at half of
 * the watchdog's time that the event loop turns. One message is on its way at a time; what comes meanwhile is put together.
 * What was not taken is said again at the next beat.
 */
export class Notifier implements ServiceManager {
  readonly #host: NotifierHost;
  readonly #beatMs: number;
  /** What is still to be told of, oldest first, each with its assignments. One message tells of one. */
  readonly #states: (readonly string[])[] = [];
  /** Said instead of the status, until it serves. */
  #phase: string | undefined = "starting";
  /** The state on its way. */
  #said: readonly string[] | undefined;
  #isWatchdogDue = false;
  /** As it was told last. */
  #status = "";
  #isSaying = false;
  #hasFailed = false;
  #isStopping = false;
  #isOver = false;
  #cancelBeat: (() => void) | undefined;
  #cancelLook: (() => void) | undefined;

  constructor(host: NotifierHost) {
    this.#host = host;
    this.#beatMs = Math.min(host.watchdogMs === undefined ? BEAT_MS : host.watchdogMs / 2, BEAT_MS);
    this.#waitForBeat();
    this.#say();
  }

  readonly ready = (): void => this.#tell(["READY=1"], undefined);

  readonly reloading = (): void => {
    this.#tell(["RELOADING=1", `MONOTONIC_USEC=${this.#host.monotonicMicros()}`], "reading the configuration again");
  };

  readonly stopping = (): void => {
    this.#tell(["STOPPING=1"], "stopping");
    this.#isStopping = true;
  };

  readonly look = (): void => {
    if (this.#isOver) return;
    this.#cancelLook ??= this.#host.clock.after(STATUS_MS, () => {
      this.#cancelLook = undefined;
      this.#say();
    });
  };

  readonly end = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelBeat?.();
    this.#cancelLook?.();
    // Nobody waits for an answer any more.
    for (const state of this.#states) if (state !== this.#said) this.#host.voice.say(state, () => undefined);
    this.#host.voice.close();
  };

  #tell(state: readonly string[], phase: string | undefined): void {
    if (this.#isStopping || this.#isOver) return;
    this.#phase = phase;
    this.#states.push(state);
    this.#say();
  }

  #waitForBeat(): void {
    this.#cancelBeat = this.#host.clock.after(this.#beatMs, () => {
      this.#isWatchdogDue = this.#host.watchdogMs !== undefined;
      this.#waitForBeat();
      this.#say();
    });
  }

  /** Says what is due, unless something is being said: then it follows that. */
  #say(): void {
    if (this.#isSaying || this.#isOver) return;
    const [state] = this.#states;
    const isWatchdogDue = this.#isWatchdogDue;
    const status = this.#phase ?? this.#host.status();
    const message = [
      ...(state ?? []),
      ...(isWatchdogDue ? ["WATCHDOG=1"] : []),
      ...(status === this.#status ? [] : [`STATUS=${status}`]),
    ];
    if (message.length === 0) return;
    this.#isSaying = true;
    this.#said = state;
    this.#isWatchdogDue = false;
    this.#host.voice.say(message, (failure) => {
      this.#isSaying = false;
      this.#said = undefined;
      if (failure !== undefined) {
        this.#isWatchdogDue ||= isWatchdogDue;
        this.#fail(failure);
        return;
      }
      if (state !== undefined) this.#states.shift();
      this.#status = status;
      this.#succeed();
      // At once what has happened meanwhile; a status that has changed with the next beat.
      if (this.#states.length > 0 || this.#isWatchdogDue) this.#say();
    });
  }

  #fail(reason: string): void {
    if (!this.#hasFailed) this.#host.failed(reason);
    this.#hasFailed = true;
  }

  #succeed(): void {
    if (this.#hasFailed) this.#host.heard();
    this.#hasFailed = false;
  }
}

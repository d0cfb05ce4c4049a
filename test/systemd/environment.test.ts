import { expect, it, test } from "vitest";
import { wantedIn } from "../../src/systemd/environment.ts";

it("nobody listens where there is no address", () => {
  expect(wantedIn({ WATCHDOG_USEC: "1000000" }, 7)).toBeUndefined();
  expect(wantedIn({ NOTIFY_SOCKET: "" }, 7)).toBeUndefined();
});

test.each([
  ["no time", {}, undefined],
  ["its time in microseconds", { WATCHDOG_USEC: "30000000" }, 30_000],
  ["less than a millisecond", { WATCHDOG_USEC: "500" }, 0.5],
  ["its own process", { WATCHDOG_USEC: "1000000", WATCHDOG_PID: "7" }, 1000],
  ["another process, whose environment this is", { WATCHDOG_USEC: "1000000", WATCHDOG_PID: "8" }, undefined],
  ["none, as it is off", { WATCHDOG_USEC: "0" }, undefined],
  ["no number", { WATCHDOG_USEC: "soon" }, undefined],
  ["a negative number", { WATCHDOG_USEC: "-1" }, undefined],
])("the watchdog: %s", (_, env, watchdogMs) => {
  expect(wantedIn({ NOTIFY_SOCKET: "/run/systemd/notify", ...env }, 7)).toEqual({
    socket: "/run/systemd/notify",
    watchdogMs,
  });
});

import { sample, type Metric, type Sample } from "./metric.ts";
import type { Reading } from "./reading.ts";

/** A number of the whole process, where the system tells it. */
function one(read: (from: Reading) => number | undefined) {
  return (from: Reading): Sample[] => {
    const value = read(from);
    return value === undefined ? [] : [sample(value)];
  };
}

export const PROCESS_METRICS: readonly Metric<Reading>[] = [
  {
    name: "zeo_proxy_build_info",
    type: "gauge",
    help: "Always 1; the labels say which version runs, on which Node.",
    labels: ["version", "node"],
    read: ({ version }) => [sample(1, version, process.version)],
  },
  {
    name: "zeo_proxy_guard_refusals_total",
    type: "counter",
    help: "Invalidations that the last look before a client's socket refused: a bug of the proxy. Must be 0.",
    labels: [],
    read: one(({ guard }) => guard),
  },
  {
    name: "zeo_proxy_kept_bytes",
    type: "gauge",
    help: "What is kept of messages on their way, as limits.memory counts it.",
    labels: [],
    read: one(({ keptBytes }) => keptBytes),
  },
  {
    name: "zeo_proxy_kept_bytes_limit",
    type: "gauge",
    help: "limits.memory: beyond it the client for whom most is kept is disconnected.",
    labels: [],
    read: one(({ keptBytesLimit }) => keptBytesLimit),
  },
  {
    name: "zeo_proxy_event_loop_delay_seconds",
    type: "histogram",
    help: "How late the event loop came to what was due, looked at fifty times a second.",
    labels: [],
    read: ({ loopDelayMs }) => [sample({ histogram: loopDelayMs, scale: 0.001 })],
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "Processor time of the process, user and system.",
    labels: [],
    read: one((from) => from.process.cpuSeconds),
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Resident memory of the process.",
    labels: [],
    read: one((from) => from.process.residentBytes),
  },
  {
    name: "process_open_fds",
    type: "gauge",
    help: "Open file descriptors.",
    labels: [],
    read: one((from) => from.process.openDescriptors),
  },
  {
    name: "process_max_fds",
    type: "gauge",
    help: "So many file descriptors may be open.",
    labels: [],
    read: one((from) => from.process.mostDescriptors),
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "When the process has begun, in seconds since 1970.",
    labels: [],
    read: one((from) => from.process.startedSeconds),
  },
];

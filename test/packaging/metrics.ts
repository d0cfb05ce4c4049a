/** Every metric that the proxy has, with its labels. The one place in these tests that says so. */
export const METRICS: Readonly<Record<string, readonly string[]>> = {
  zeo_proxy_build_info: ["version", "node"],
  zeo_proxy_upstream_up: ["upstream"],
  zeo_proxy_upstream_state: ["upstream", "state"],
  zeo_proxy_sessions: ["upstream", "state"],
  zeo_proxy_clients_accepted_total: ["upstream"],
  zeo_proxy_clients_refused_total: ["upstream", "reason"],
  zeo_proxy_received_bytes_total: ["upstream", "from"],
  zeo_proxy_sent_bytes_total: ["upstream", "to"],
  zeo_proxy_messages_total: ["upstream", "from", "class"],
  zeo_proxy_commits_total: ["server", "storage"],
  zeo_proxy_foreign_commits_total: ["server", "storage"],
  zeo_proxy_foreign_commits_read_total: ["server", "storage"],
  zeo_proxy_repairs_total: ["server", "storage", "kind", "source"],
  zeo_proxy_oids_added_total: ["server", "storage"],
  zeo_proxy_resumes_refused_total: ["server", "storage"],
  zeo_proxy_held_messages: ["server", "storage"],
  zeo_proxy_hold_seconds: ["server", "storage"],
  zeo_proxy_finishing_commits: ["server", "storage"],
  zeo_proxy_questions_total: ["server", "storage"],
  zeo_proxy_witness_up: ["server", "storage"],
  zeo_proxy_witness_lag_seconds: ["server", "storage"],
  zeo_proxy_history_bytes: ["server", "storage"],
  zeo_proxy_history_transactions: ["server", "storage"],
  zeo_proxy_history_reach_timestamp_seconds: ["server", "storage"],
  zeo_proxy_setbacks_total: ["server", "storage"],
  zeo_proxy_sessions_ended_total: ["upstream", "code"],
  zeo_proxy_sessions_relayed_total: ["upstream", "reason"],
  zeo_proxy_guard_refusals_total: [],
  zeo_proxy_kept_bytes: [],
  zeo_proxy_kept_bytes_limit: [],
  zeo_proxy_event_loop_delay_seconds: [],
  process_cpu_seconds_total: [],
  process_resident_memory_bytes: [],
  process_open_fds: [],
  process_max_fds: [],
  process_start_time_seconds: [],
};

/** Those that have `_bucket`, `_sum` and `_count`; of a summary only the last two. */
const DISTRIBUTIONS = ["zeo_proxy_hold_seconds", "zeo_proxy_event_loop_delay_seconds"];

/** What Prometheus adds by itself. */
const OF_PROMETHEUS = ["job", "instance", "le"];

/** What is wrong with the names in an expression: metrics that there are not, and labels that theirs have not. */
export function unknownIn(expression: string): string[] {
  const bare = expression.replaceAll(/"[^"]*"/g, '""');
  const metrics = [...bare.matchAll(/\b(?:zeo_proxy|process)_\w+|\bup\b/g)].map(([name]) => name);
  if (metrics.length === 0) return [`no metric in ${expression}`];
  const labels = [...bare.matchAll(/\bby \(([^)]*)\)/g), ...bare.matchAll(/\{([^}]*)\}/g)]
    .flatMap(([, list = ""]) => list.split(","))
    .map((one) => /\w+/.exec(one)?.[0])
    .filter((one) => one !== undefined);
  const known = new Set([...OF_PROMETHEUS, ...metrics.flatMap((name) => METRICS[baseOf(name)] ?? [])]);
  return [
    ...metrics.filter((name) => name !== "up" && !(baseOf(name) in METRICS)),
    ...labels.filter((label) => !known.has(label)),
  ];
}

function baseOf(name: string): string {
  const base = name.replace(/_(?:bucket|sum|count)$/, "");
  return DISTRIBUTIONS.includes(base) ? base : name;
}

// Numbers, times and ids as people read them.

const NUMBERS = new Intl.NumberFormat("en");
const TIME = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const MINUTE = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** @param {number} value */
export function count(value) {
  return NUMBERS.format(value);
}

/**
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export function counted(value, one, many = `${one}s`) {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** @param {number} ms */
export function duration(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days ${hours % 24} h`;
}

/**
 * To the second, and its milliseconds.
 * @param {number} ms since 1970
 * @returns {[string, string]}
 */
export function time(ms) {
  return [TIME.format(ms), `.${String(Math.floor(ms) % 1000).padStart(3, "0")}`];
}

/** @param {number} ms since 1970 */
export function minute(ms) {
  return MINUTE.format(ms);
}

/** @param {number} ms since 1970 */
export function date(ms) {
  return DATE.format(ms);
}

/**
 * The moment that a tid names, in ms since 1970: minutes (of 31-day months from 1900) and the fraction of one (persistent,
 * `_timestamp.c`).
 * @param {string} tid 16 hex digits
 */
export function tidTime(tid) {
  let minutes = Number.parseInt(tid.slice(0, 8), 16);
  const fraction = Number.parseInt(tid.slice(8), 16) / 2 ** 32;
  /** @param {number} by */
  const next = (by) => {
    const rest = minutes % by;
    minutes = Math.floor(minutes / by);
    return rest;
  };
  const [inHour, hour, day, month] = [next(60), next(24), next(31), next(12)];
  return Date.UTC(1900 + minutes, month, day + 1, hour, inHour) + fraction * 60_000;
}

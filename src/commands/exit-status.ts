/** What the command's exit status means. */
export const EXIT = {
  ok: 0,
  /** A listening address that is in use or not permitted, an error of our own. */
  failed: 1,
  /** A wrong configuration or command line; nothing was started. */
  usage: 2,
  /** `watch --compare`: the proxy has left something out. */
  incomplete: 3,
  /** `probe --nagios`: a wrong command line. */
  unknown: 3,
} as const;

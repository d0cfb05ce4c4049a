/**
 * How many states each world has. A world that has fewer than here has lost some of what can happen in it, and fails;
 * one that has more is printed, and its new count belongs here. ("At least": counted in part, or before a rule that
 * holds more came in; nothing was found in these either.)
 */
export const COUNTS: Readonly<Record<string, number>> = {
  "old 2 clients": 32_065,
  "old 3 clients": 1_050_706,
  "old newcomer": 522_891,
  "old newcomer, empty cache": 23_920,
  "old reconnect": 1_475_718,
  "old fail, abort, empty": 1_253_760,
  "old, new clients": 1_203_052,
  "old, new clients, undo": 2_303_060,
  "old, two reads at once": 1_317_336,
  "new, two reads at once": 668_336,
  "backport 2 clients": 465_443,
  "backport reconnect": 1_475_886,
  "new 2 clients": 846_859,
  "new 3 clients": 1_600_000, // at least
  "new newcomer": 203_824,
  "new newcomer, empty cache": 38_880,
  "new reconnect": 800_000, // at least
  "new fail, abort, empty": 800_000, // at least
  "new undo": 109_565,
  "old, outside, no witness": 536_242,
  "old, the same, reconnect": 1_018_106,
  "old, the same, undo": 62_474,
  "new, outside, no witness": 1_480_586,
  "new, the same, undo": 47_746,
  "old, empty ones have tids": 354_767,
  "old, loads": 2_308_752,
  "new, loads": 800_000, // at least
  "old, paused": 1_798_028,
  "new, paused": 1_180_000, // at least
  "old, skipped": 1_901_921,
  "old, skipped, nobody asks": 185_302,
  "old, skipped, reconnect": 893_555,
  "old, skipped newcomer, undo": 56_644,
  "old, broken": 1_177_027,
  "new, broken": 1_513_688,
  "new-patched": 800_000, // at least
  "new, a second passes": 23_955,
  "new, a client is skipped": 185_088,
  "new, a looker-on is skipped twice": 18_726,
  "new, a newcomer is skipped, undo": 56_910,
  "old newcomer, short history": 13_321,
  "new newcomer, short history": 9_314,
  "old, fan-out, message before the reply": 16_776,
  "old, fan-out, message after the reply": 22_388,
  "old, fan-out, undo": 21_788,
  "new, fan-out": 47_548,
  "new, fan-out, late": 47_316,
  "old, register refused": 24_134,
  "new, register refused": 18_516,
  "new, conflicts resolved by the client": 52_877,
  "old, conflicts in serialnos": 38_916,
  "old, likenesses of tids": 139_160,
  "new, likenesses of tids": 109_565,
  "old, quiet sessions pass by": 62_899,
  "new, quiet sessions pass by": 116_837,
  "old, the server hangs up": 158_730,
  "new, the server hangs up": 539_236,
  "old, the server hangs up, newcomer": 22_462,
};

import type { Random } from "../random.ts";
import type { Requests } from "../requests.ts";

export const NONSENSE = ["bytes", "a one-way vote", "an id twice", "much behind a store", "half a message"] as const;

/** More than any store has behind its data. */
const MUCH = 70_000;

/** What no client says, and nobody could follow. */
export function nonsense(kind: (typeof NONSENSE)[number], requests: Requests, random: Random): Buffer {
  switch (kind) {
    case "bytes": {
      const bytes = Buffer.alloc(random.between(2, 60));
      for (let i = 0; i < bytes.length; i++) bytes[i] = random.below(256);
      if (random.chance(0.5)) bytes.writeUInt16BE(0, 0);
      return bytes;
    }
    case "a one-way vote":
      return requests.oneWayVote(1).frame;
    case "an id twice": {
      const { frame } = requests.vote(1);
      return Buffer.concat([frame, frame]);
    }
    case "half a message": {
      const half = Buffer.from(requests.vote(1).frame.subarray(0, 8));
      half.writeUInt32BE(half.length - 4);
      return half;
    }
    case "much behind a store": {
      const longer = Buffer.concat([requests.store(1, 1, 0, 10).frame, Buffer.alloc(MUCH)]);
      longer.writeUInt32BE(longer.length - 4);
      return longer;
    }
  }
}

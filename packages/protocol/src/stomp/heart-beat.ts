import { StompFault } from './fault.ts';

/** What one side offers: how often it can send, and how often it wants to hear. 0 is never. */
export interface HeartBeat {
  readonly canSendMs: number;
  readonly wantsMs: number;
}

/** What both offers come to, for the side whose offer came first. 0 is never. */
export interface HeartBeatPlan {
  /** Something must be sent at least this often. */
  readonly sendEveryMs: number;
  /** Something will be heard at least this often; allow for delay before giving up. */
  readonly hearEveryMs: number;
}

/** A day: more is a mistake, and too long for a timer. */
export const MAX_HEART_BEAT_MS = 86_400_000;

/** The `heart-beat` header of CONNECT or CONNECTED; without one there are none. */
export function parseHeartBeat(value: string | undefined): HeartBeat {
  if (value === undefined) return { canSendMs: 0, wantsMs: 0 };
  const [, canSend, wants] = /^(\d{1,9}),(\d{1,9})$/.exec(value) ?? [];
  const beat = { canSendMs: Number(canSend), wantsMs: Number(wants) };
  if (!(beat.canSendMs <= MAX_HEART_BEAT_MS && beat.wantsMs <= MAX_HEART_BEAT_MS)) {
    throw new StompFault('invalid-heart-beat');
  }
  return beat;
}

export function formatHeartBeat({ canSendMs, wantsMs }: HeartBeat): string {
  return `${canSendMs},${wantsMs}`;
}

/** In each direction the slower of offer and wish counts, and none if either side has none. */
export function negotiateHeartBeat(own: HeartBeat, other: HeartBeat): HeartBeatPlan {
  return {
    sendEveryMs: slower(own.canSendMs, other.wantsMs),
    hearEveryMs: slower(own.wantsMs, other.canSendMs),
  };
}

function slower(offerMs: number, wishMs: number): number {
  return offerMs === 0 || wishMs === 0 ? 0 : Math.max(offerMs, wishMs);
}

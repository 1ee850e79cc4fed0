import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { type MacKey, MacKeys } from '../../kernel/mac.ts';

/** `p`: anybody who has the link; otherwise the id of the one account that may use it. */
export type Audience = string;
export const publicAudience: Audience = 'p';

export interface MediaLinks {
  /** The path below which all files of the video are, without a closing slash. */
  base(videoId: string, audience: Audience): string;
  /** Throws `not-found` for a token that this server did not make for this video, `link-expired` for an old one. */
  verify(token: string, videoId: string): { audience: Audience; expiresAtMs: number };
}

const hourMs = 3_600_000;
/** Links made within one slot are equal, so that browsers and proxies can keep what they fetched. */
const slotHours = 2;

/**
 * Media links carry their right to be read in the path, because a player that follows a playlist sends no headers.
 * They are valid for 2 to 4 hours, and the origin still asks on every request whether the audience may see the video.
 * One link serves the cover, the sprite, the playlists and all segments of a video: one HMAC a card, about 1 microsecond.
 */
export function createMediaLinks(keys: readonly MacKey[], clock: Clock): MediaLinks {
  const macs = new MacKeys(keys);
  const signed = (videoId: string, expiry: string, audience: Audience) => `${videoId} ${expiry} ${audience}`;
  return {
    base(videoId, audience) {
      const slot = Math.floor(clock.nowMs() / hourMs / slotHours);
      const expiry = ((slot + 2) * slotHours).toString(36);
      const tag = macs.sign('media-link', signed(videoId, expiry, audience));
      return `/media/v/${expiry}.${audience}.${tag}/${videoId}`;
    },
    verify(token, videoId) {
      const match = /^([0-9a-z]{1,8})\.(p|[1-9][0-9]{0,18})\.([\w-]{43})$/.exec(token);
      if (!match) throw new AppError('not-found');
      const [, expiry = '', audience = '', tag = ''] = match;
      if (!macs.verify('media-link', signed(videoId, expiry, audience), tag)) throw new AppError('not-found');
      const expiresAtMs = Number.parseInt(expiry, 36) * hourMs;
      if (expiresAtMs <= clock.nowMs()) throw new AppError('link-expired');
      return { audience, expiresAtMs };
    },
  };
}

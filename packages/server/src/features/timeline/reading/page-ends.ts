import type { FeedPosition } from '@hvideo/protocol';
import type { Clock } from '../../../kernel/clock.ts';
import type { CursorCodec } from '../../../kernel/cursor.ts';
import { compareIds } from '../../../kernel/ids.ts';
import { type MaybePromise, whenKnown } from '../../../kernel/maybe-promise.ts';
import { afterAllIds } from '../../videos/index.ts';
import { type FollowingRequest, firstKeyFor, keyBefore } from '../range.ts';
import type { KeyRange } from './exact.ts';

/** Older than every entry. */
export const beforeAllIds = '0';

const followingKind = (readerId: string) => `following:${readerId}`;
const sinceKind = (readerId: string) => `following-since:${readerId}`;

/** The cursor of the page whose entries have keys below this one. */
export const cursorBelow = (cursors: Pick<CursorCodec, 'encode'>, readerId: string, key: string) =>
  cursors.encode(followingKind(readerId), [key]);

const maxRemembered = 20_000;

/** Remembers the cursors made last: a page that is read again has the same, and a signature costs more than a card. */
export function rememberingCursors(cursors: CursorCodec): CursorCodec {
  const made = new Map<string, string>();
  return {
    decode: (kind, cursor) => cursors.decode(kind, cursor),
    encode(kind, values) {
      const name = `${kind} ${values.join()}`;
      const known = made.get(name);
      if (known !== undefined) return known;
      if (made.size >= maxRemembered) made.clear();
      const cursor = cursors.encode(kind, values);
      made.set(name, cursor);
      return cursor;
    },
  };
}

export interface PageEndsDeps {
  readonly clock: Clock;
  readonly cursors: CursorCodec;
  readonly position: (readerId: string) => MaybePromise<FeedPosition | null>;
}

/** Where a page begins, and what it says of those before and after it. */
export class PageEnds {
  readonly #deps: PageEndsDeps;

  constructor(deps: PageEndsDeps) {
    this.#deps = deps;
  }

  /** Errors: `invalid-cursor`. */
  rangeOf(readerId: string, request: FollowingRequest): KeyRange {
    const { cursors, clock } = this.#deps;
    const { cursor, since } = request;
    if (since !== undefined)
      return { after: firstKeyFor(this.#keyOf(sinceKind(readerId), since)), before: afterAllIds };
    const before =
      cursor === undefined
        ? keyBefore(request, clock.nowMs())
        : (cursors.decode(followingKind(readerId), cursor)[0] ?? beforeAllIds);
    return { after: beforeAllIds, before };
  }

  /** What follows the items. `known`: the reader's position, if it has been asked for. */
  restOf(
    readerId: string,
    request: FollowingRequest,
    newest: string | undefined,
    below: string | undefined,
    after: string,
    known?: FeedPosition | null,
  ): MaybePromise<string> {
    const { cursors, position } = this.#deps;
    const isSince = request.since !== undefined;
    const nextCursor = below === undefined || isSince ? null : cursorBelow(cursors, readerId, below);
    const before = isSince ? this.#keyOf(sinceKind(readerId), request.since ?? '') : after;
    const next = newest !== undefined && compareIds(newest, before) > 0 ? newest : before;
    const since = isSince || isTop(request) ? cursors.encode(sinceKind(readerId), [next]) : null;
    const text = `,"nextCursor":${quoted(nextCursor)},"since":${quoted(since)},"position":`;
    if (!isTop(request)) return `${text}null}`;
    const place = known === undefined ? position(readerId) : known;
    return whenKnown(place, (read) => `${text}${read ? JSON.stringify(read) : 'null'}}`);
  }

  #keyOf(kind: string, token: string): string {
    return this.#deps.cursors.decode(kind, token)[0] ?? beforeAllIds;
  }
}

export const isTop = ({ cursor, since, at }: FollowingRequest): boolean =>
  cursor === undefined && since === undefined && at === undefined;

/** A cursor has nothing that JSON escapes. */
const quoted = (cursor: string | null): string => (cursor === null ? 'null' : `"${cursor}"`);

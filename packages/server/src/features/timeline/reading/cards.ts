import type { VideoCard } from '@hvideo/protocol';
import { idTimeMs } from '../../../kernel/ids.ts';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import type { CountText } from '../../engagement/index.ts';
import type { CardSubject, Presenter, VideoPage } from '../../videos/index.ts';
import type { ReaderGraph } from './graphs.ts';
import type { Repost } from './reposts.ts';

/** An entry that the reader may see, with what its card is made of. */
export interface Shown {
  readonly entry: Entry;
  readonly page: VideoPage;
  readonly repost: Repost | undefined;
}

export type ReactionFlags = Pick<VideoCard['viewer'], 'liked' | 'favorited' | 'reposted'>;

interface SharedText {
  /** A card without its closing brace: counts, the viewer's state and the reason follow. */
  readonly bytes: Uint8Array;
  readonly untilMs: number;
}

/** Links in ready texts hold for hours; a text is made anew long before. */
const textMs = 10 * 60_000;
const encoder = new TextEncoder();
const countsKey = encoder.encode(',"counts":');
const closing = encoder.encode(']');

/**
 * Pages of cards as encoded bytes. What all readers share of a card is encoded once, beside the cached video that it is
 * made of, and copied into each page; the rest is short.
 */
export class CardTexts {
  readonly #presenter: Presenter;
  readonly #nowMs: () => number;
  readonly #shared = new WeakMap<VideoPage, SharedText>();

  constructor(presenter: Presenter, nowMs: () => number) {
    this.#presenter = presenter;
    this.#nowMs = nowMs;
  }

  /** `{"items":[...]`, and `rest`, which closes the object. */
  encode(
    readerId: string,
    graph: ReaderGraph,
    shown: readonly Shown[],
    countsOf: (videoId: string) => CountText | undefined,
    reactionsOf: (videoId: string) => ReactionFlags,
    rest: string,
  ): Uint8Array<ArrayBuffer> {
    const parts: Uint8Array[] = [];
    let text = '{"items":[';
    let size = 0;
    const flush = () => {
      const bytes = encoder.encode(text);
      parts.push(bytes);
      size += bytes.length;
      text = '';
    };
    for (const [at, each] of shown.entries()) {
      if (at > 0) text += ',';
      const { page, entry, repost } = each;
      const counts = countsOf(page.row.id);
      if (page.row.visibility !== 'public' || page.author.id === readerId || !counts) {
        text += this.#ownText(readerId, graph, each, counts, reactionsOf(page.row.id));
        continue;
      }
      flush();
      const shared = this.#sharedBytes(page);
      parts.push(shared, countsKey);
      size += shared.length + countsKey.length;
      const { liked, favorited, reposted } = reactionsOf(page.row.id);
      text = `${counts.text},"viewer":{"own":false,"following":${graph.modes.has(page.author.id)},"liked":${liked},"favorited":${favorited},"reposted":${reposted}},"reason":${reasonText(entry, repost)}}`;
    }
    flush();
    parts.push(closing);
    const end = encoder.encode(rest);
    parts.push(end);
    const page = new Uint8Array(size + closing.length + end.length);
    let offset = 0;
    for (const part of parts) {
      page.set(part, offset);
      offset += part.length;
    }
    return page;
  }

  #sharedBytes(page: VideoPage): Uint8Array {
    const nowMs = this.#nowMs();
    const known = this.#shared.get(page);
    if (known && known.untilMs > nowMs) return known.bytes;
    const subject = { author: page.author, counts: undefined, state: undefined };
    const card = this.#presenter.card(page.row, subject, { viewerId: undefined, reason: 'following' });
    const { counts: _counts, viewer: _viewer, reason: _reason, ...shared } = card;
    const made = { bytes: encoder.encode(JSON.stringify(shared).slice(0, -1)), untilMs: nowMs + textMs };
    this.#shared.set(page, made);
    return made.bytes;
  }

  /** A card whose links are for this reader alone. */
  #ownText(
    readerId: string,
    graph: ReaderGraph,
    { page, entry, repost }: Shown,
    counts: CountText | undefined,
    state: ReactionFlags,
  ): string {
    const following = graph.modes.has(page.author.id);
    const relation = { self: false, following, followedBy: false, muted: false, blocked: false };
    const subject: CardSubject = { author: page.author, relation, counts: counts?.counts, state };
    const card = this.#presenter.card(page.row, subject, { viewerId: readerId, reason: 'following' });
    return JSON.stringify({ ...card, reason: reasonOf(entry, repost) });
  }
}

function reasonOf({ key }: Entry, repost: Repost | undefined): VideoCard['reason'] {
  if (!repost) return { kind: 'following', entryId: key };
  const { by, comment } = repost;
  return {
    kind: 'repost',
    entryId: key,
    repost: { by, comment, at: new Date(idTimeMs(key)).toISOString() },
  };
}

const reasonText = (entry: Entry, repost: Repost | undefined): string =>
  repost ? JSON.stringify(reasonOf(entry, repost)) : `{"kind":"following","entryId":"${entry.key}"}`;

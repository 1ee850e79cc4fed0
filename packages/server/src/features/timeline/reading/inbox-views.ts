import type { FeedPosition } from '@hvideo/protocol';
import type { Entry } from '../../../ports/timeline-store/port.ts';
import type { ReaderGraph } from './graphs.ts';
import type { OwnReactions } from './reactions.ts';
import type { ReadyCard } from './ready-cards.ts';

/** The newest entries of an inbox as their reader may see them, and what pages found for them: some hundred bytes. */
export interface InboxView {
  /** As the store gave them. */
  readonly stored: readonly Entry[];
  /** Those of followees who are not muted. */
  readonly entries: readonly Entry[];
  /** Of each entry, once it was found; whether it still holds is to be asked. */
  readonly cards: (ReadyCard | undefined)[];
  /** What the reader is to each video, as these reactions have it. */
  bits: Uint8Array | undefined;
  reactions: OwnReactions | undefined;
  /** What follows so many entries. */
  after:
    | { readonly limit: number; readonly position: FeedPosition | null; readonly bytes: Uint8Array }
    | undefined;
}

/**
 * Remembers for each graph what it makes of an inbox, so that a page of an inbox in which nothing has changed asks nothing again.
 * Graphs and lists of entries are never modified: the same ones have the same outcome. A view lives as long as its graph is
 * kept.
 */
export class InboxViews {
  readonly #views = new WeakMap<ReaderGraph, InboxView>();

  of(graph: ReaderGraph, stored: readonly Entry[]): InboxView {
    const known = this.#views.get(graph);
    if (known?.stored === stored) return known;
    const entries = stored.filter(({ authorId }) => mayShow(graph, authorId));
    const view: InboxView = {
      ...{ stored, entries: entries.length === stored.length ? stored : entries },
      cards: new Array<undefined>(entries.length).fill(undefined),
      ...{ bits: undefined, reactions: undefined, after: undefined },
    };
    this.#views.set(graph, view);
    return view;
  }
}

/** Whose entries are shown, as far as it depends on who published them. */
export const mayShow = ({ modes, muted }: ReaderGraph, authorId: string): boolean =>
  modes.has(authorId) && !(muted.size > 0 && muted.has(authorId));

import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { errorText } from '../../app/errors.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { toast } from '../../ui/toast.tsx';
import { entryOf, type FeedKind } from '../../watch/queries.ts';
import { lookForNews, newsQuery, noNews, prepareNews } from './news.ts';

interface Refreshing {
  readonly kind: FeedKind;
  /** Entries that the list has. */
  readonly entries: readonly string[];
  /** The list began at an older place: what is new has no place in it. */
  readonly isDeep: boolean;
  goTo(index: number): void;
  toTop(): void;
}

/** How many are new, and the ways to see them. */
export function useRefresh({ kind, entries, isDeep, goTo, toTop }: Refreshing) {
  const { t } = useTexts();
  const query = useQuery({ ...newsQuery, enabled: kind === 'following' && !isDeep });
  const { items, isMany } = query.data ?? noNews;
  const known = new Set(entries);
  const newCount = isDeep ? 0 : items.filter((card) => !known.has(entryOf(card))).length;

  // What is new is in the document first, and then one goes up to it.
  const isGoingUp = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is the reason, not a value
  useEffect(() => {
    if (isGoingUp.current) goTo(0);
    isGoingUp.current = false;
  }, [entries]);
  const goUpTo = (put: () => void) => {
    isGoingUp.current = true;
    put();
  };

  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      toast(`${t('feed:refreshFailed')} ${errorText(error)}`, 'error');
    }
  };
  const showNews = () => void attempt(async () => goUpTo(await prepareNews()));
  const refreshNow = () =>
    attempt(async () => {
      const put = isDeep ? undefined : await lookForNews(kind);
      if (put) goUpTo(put);
      else {
        if (!isDeep) toast(t('feed:nothingNew'));
        toTop();
      }
    });
  return { newCount, isMany, refreshNow, showNews };
}

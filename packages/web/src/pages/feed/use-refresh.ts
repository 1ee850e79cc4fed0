import { useQuery } from '@tanstack/react-query';
import { errorText } from '../../app/errors.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { toast } from '../../ui/toast.tsx';
import { entryOf, type FeedKind } from '../../watch/queries.ts';
import { lookForNews, newsQuery, noNews, takeNews } from './news.ts';

interface Refreshing {
  readonly kind: FeedKind;
  /** Entries that the list has. */
  readonly entries: readonly string[];
  /** The list begins at the top, so that what is new can be put there. */
  readonly isTop: boolean;
  /** Goes to the top: at once, or when what is new has come into the list. */
  goUp(isNewComing: boolean): void;
}

/** How many are new, and the way to look for more by hand. */
export function useRefresh({ kind, entries, isTop, goUp }: Refreshing) {
  const { t } = useTexts();
  const query = useQuery({ ...newsQuery, enabled: kind === 'following' && isTop });
  const { items, isMany } = query.data ?? noNews;
  const known = new Set(entries);
  const newCount = isTop ? items.filter((card) => !known.has(entryOf(card))).length : 0;
  const attempt = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      toast(`${t('feed:refreshFailed')} ${errorText(error)}`, 'error');
    }
  };
  const showNews = () =>
    void attempt(async () => {
      goUp(true);
      await takeNews();
    });
  const refreshNow = () =>
    attempt(async () => {
      const put = isTop ? await lookForNews(kind) : undefined;
      if (isTop && !put) toast(t('feed:nothingNew'));
      goUp(put !== undefined);
      await put?.();
    });
  return { newCount, isMany, refreshNow, showNews };
}

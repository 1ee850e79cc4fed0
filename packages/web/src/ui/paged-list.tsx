import type { Page } from '@hvideo/protocol';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from './button.tsx';
import { formStyles } from './form.tsx';
import { ErrorNotice } from './notice.tsx';
import { Skeleton } from './skeleton.tsx';

interface PagedListProps<Item> {
  query: UseInfiniteQueryResult<InfiniteData<Page<Item>>, Error>;
  /** Said in place of an empty list. */
  empty?: ReactNode;
  children(item: Item): ReactNode;
}

/** A list that comes page by page, with what stands there before, instead and when it fails. */
export function PagedList<Item>({ query, empty, children }: PagedListProps<Item>) {
  const { t } = useTexts();
  if (query.isPending) return <Skeleton height="4rem" />;
  if (query.data === undefined) {
    return <ErrorNotice compact error={query.error} onRetry={() => void query.refetch()} />;
  }
  const items = query.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return empty;
  return (
    <>
      <ul className={formStyles['entries']}>{items.map(children)}</ul>
      {query.isFetchNextPageError && <ErrorNotice compact error={query.error} />}
      {query.hasNextPage && (
        <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t('actions.loadMore')}
        </Button>
      )}
    </>
  );
}

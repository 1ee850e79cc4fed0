import type { ViewMessage, ViewQuote } from '@hvideo/client';
import { useQuery } from '@tanstack/react-query';
import { useTexts } from '../i18n/use-texts.ts';
import { profileQuery } from '../people/queries.ts';
import styles from './message-row.module.css';
import { previewOf } from './names.ts';
import { useTimeline } from './timeline-context.ts';

/** The message that is answered, in short; it leads there. */
export function QuoteBlock({ quote }: { quote: ViewQuote }) {
  const { t } = useTexts();
  const { conversation, here, jump } = useTimeline();
  const found = useQuery({
    queryKey: ['chat', 'quote', conversation.id, quote.seq ?? quote.key],
    queryFn: async ({ signal }): Promise<ViewMessage | null> =>
      here(quote) ?? (quote.seq === null ? null : conversation.find(quote.seq, { signal })),
    initialData: () => here(quote),
    staleTime: Number.POSITIVE_INFINITY,
  });
  const { data: message, isPending } = found;
  const { seq } = quote;
  return (
    <button
      type="button"
      tabIndex={-1}
      className={styles['quote']}
      title={t('chat:quoted')}
      disabled={seq === null}
      onClick={() => seq !== null && jump(seq)}
    >
      {isPending ? (
        <span className={styles['waiting']} />
      ) : message ? (
        <>
          <Sender message={message} />
          <span className={styles['quoted']} dir="auto">
            {textOf(message)}
          </span>
        </>
      ) : (
        <span className={styles['quoted']}>{t('chat:quoteGone')}</span>
      )}
    </button>
  );
}

const textOf = ({ content }: ViewMessage) => (content.type === 'system' ? '' : previewOf(content));

function Sender({ message }: { message: ViewMessage }) {
  const { t } = useTexts();
  const { data } = useQuery({
    ...profileQuery(message.senderId),
    enabled: !message.isOwn,
    staleTime: 600_000,
  });
  return <b>{message.isOwn ? t('chat:you') : (data?.displayName ?? '…')}</b>;
}

import type { Notification } from '@hvideo/protocol';
import { Trans } from 'react-i18next';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatCount } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';

/** "Lin and 12 others liked your video". */
export function Sentence({ notification }: { notification: Notification }) {
  const { t } = useTexts();
  return (
    <Trans
      t={t}
      i18nKey={`notifications:said.${notification.kind}`}
      components={{ who: <Who notification={notification} /> }}
    />
  );
}

function Who({ notification: { actors, count } }: { notification: Notification }) {
  const { t } = useTexts();
  const language = useLanguage();
  const [first, second] = actors;
  const name = first?.displayName ?? '';
  const other = second?.displayName ?? '';
  const form = count <= 1 ? 'one' : count === 2 ? 'two' : 'many';
  return (
    <Trans
      t={t}
      i18nKey={`notifications:who.${form}`}
      values={{ name, other, others: formatCount(count - 1, language) }}
      components={{ b: <strong /> }}
    />
  );
}

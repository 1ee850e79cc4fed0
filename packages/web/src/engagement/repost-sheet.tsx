import { REPOST_COMMENT_MAX, type VideoCard } from '@hvideo/protocol';
import { Repeat2, Undo2 } from 'lucide-react';
import { useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { Preview } from '../share/preview.tsx';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextArea } from '../ui/field.tsx';
import { repost } from './react.ts';
import styles from './repost-sheet.module.css';

interface RepostSheetProps {
  card: VideoCard;
  open: boolean;
  onOpenChange(open: boolean): void;
}

/** Recommends a video to one's followers: at once, or with a few words; and takes that back. */
export function RepostSheet({ card, open, onOpenChange }: RepostSheetProps) {
  const { t } = useTexts();
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title={t('feed:repost.title')}
      description={t(card.viewer.reposted ? 'feed:repost.already' : 'feed:repost.text')}
    >
      <Composer card={card} onDone={() => onOpenChange(false)} />
    </Dialog>
  );
}

/** Few characters are left: then they are counted. */
const nearTheEnd = 80;

function Composer({ card, onDone }: { card: VideoCard; onDone(): void }) {
  const { t } = useTexts();
  const [text, setText] = useState('');
  const isReposted = card.viewer.reposted;
  const words = text.trim();
  const left = REPOST_COMMENT_MAX - [...words].length;
  const canSend = left >= 0 && (!isReposted || words !== '');
  const send = () => {
    if (!canSend) return;
    repost(card, words === '' ? true : words);
    onDone();
  };
  const undo = () => {
    repost(card, false);
    onDone();
  };
  return (
    <form
      className={styles['sheet']}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Preview card={card} />
      <TextArea
        label={t('feed:repost.comment')}
        placeholder={t('feed:repost.placeholder')}
        value={text}
        rows={3}
        aside={left <= nearTheEnd && t('feed:repost.left', { count: left })}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
        }}
      />
      <div className={styles['actions']}>
        {isReposted && (
          <Button icon={<Undo2 size={18} aria-hidden />} onClick={undo}>
            {t('feed:repost.undo')}
          </Button>
        )}
        <Button
          type="submit"
          tone="accent"
          icon={<Repeat2 size={19} strokeWidth={2.4} aria-hidden />}
          disabled={!canSend}
        >
          {t(
            isReposted
              ? 'feed:repost.change'
              : words === ''
                ? 'feed:repost.plain'
                : 'feed:repost.withComment',
          )}
        </Button>
      </div>
    </form>
  );
}

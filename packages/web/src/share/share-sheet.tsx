import { api, type VideoCard } from '@hvideo/protocol';
import { Code, Lock, MessageCircle, QrCode as QrIcon, Share2 } from 'lucide-react';
import { lazy, Suspense, useRef, useState } from 'react';
import { client } from '../app/client.ts';
import { useViewer } from '../app/session.ts';
import { loadChatTexts } from '../i18n/index.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { toast } from '../ui/toast.tsx';
import { CopyField } from './copy-field.tsx';
import { EmbedCode } from './embed-code.tsx';
import { Preview } from './preview.tsx';
import styles from './share-sheet.module.css';

/** The encoder is fetched when somebody shares, and not before. */
const QrCode = lazy(() => import('./qr-code.tsx').then((module) => ({ default: module.QrCode })));

/** So is the chat. */
const ShareToChat = lazy(async () => {
  const [module] = await Promise.all([import('./share-to-chat.tsx'), loadChatTexts()]);
  return { default: module.ShareToChat };
});

interface ShareSheetProps {
  card: VideoCard;
  open: boolean;
  onOpenChange(open: boolean): void;
}

/** All ways to pass a video on: its link, the system's own sheet, a QR code, and code for other sites. */
export function ShareSheet({ card, open, onOpenChange }: ShareSheetProps) {
  const { t } = useTexts();
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t('share:title')}>
      <Sheet key={card.id} card={card} />
    </Dialog>
  );
}

type Extra = 'qr' | 'embed';

function Sheet({ card }: { card: VideoCard }) {
  const { t } = useTexts();
  const [extra, setExtra] = useState<Extra>('qr');
  const [isToChat, setToChat] = useState(false);
  const viewer = useViewer();
  const onShared = useShareCount(card.id);
  const url = `${location.origin}/v/${card.id}`;
  const isPublic = card.visibility === 'public';
  const choices = [
    { value: 'qr' as const, label: t('share:qr'), icon: <QrIcon size={18} aria-hidden /> },
    { value: 'embed' as const, label: t('share:embed'), icon: <Code size={18} aria-hidden /> },
  ];
  return (
    <div className={styles['sheet']}>
      <Preview card={card} />
      {!isPublic && (
        <p className={styles['note']}>
          <Lock size={16} aria-hidden />
          {t('share:notPublic')}
        </p>
      )}
      <CopyField label={t('share:link')} value={url} onCopied={onShared} />
      <SystemShare card={card} url={url} onShared={onShared} />
      {viewer && !isToChat && (
        <Button block icon={<MessageCircle size={19} aria-hidden />} onClick={() => setToChat(true)}>
          {t('chats.share')}
        </Button>
      )}
      {viewer && isToChat && (
        <Suspense fallback={<Skeleton height="3.5rem" />}>
          <ShareToChat card={card} viewer={viewer} onShared={onShared} />
        </Suspense>
      )}
      {isPublic && (
        <div className={styles['choices']}>
          {choices.map(({ value, label, icon }) => (
            <button
              key={value}
              type="button"
              className={styles['choice']}
              aria-pressed={value === extra}
              onClick={() => setExtra(value)}
            >
              {icon}
              {label}
            </button>
          ))}
        </div>
      )}
      {isPublic && extra === 'embed' ? (
        <EmbedCode url={url} onCopied={onShared} />
      ) : (
        <figure className={styles['qr']}>
          <Suspense fallback={<Skeleton width="11.5rem" height="11.5rem" />}>
            <QrCode text={url} label={t('share:qr')} />
          </Suspense>
          <figcaption>{t('share:qrText')}</figcaption>
        </figure>
      )}
    </div>
  );
}

interface SystemShareProps {
  card: VideoCard;
  url: string;
  onShared(): void;
}

/** Messengers and the like, where the system knows them. */
function SystemShare({ card, url, onShared }: SystemShareProps) {
  const { t } = useTexts();
  const data = { title: card.title, url };
  if (!navigator.canShare?.(data)) return null;
  const share = async () => {
    try {
      await navigator.share(data);
      onShared();
    } catch (error) {
      // Closing the system's sheet is no fault.
      if (!(error instanceof DOMException && error.name === 'AbortError')) toast(t('share:failed'), 'error');
    }
  };
  return (
    <Button block tone="accent" icon={<Share2 size={19} aria-hidden />} onClick={() => void share()}>
      {t('share:system')}
    </Button>
  );
}

/** Counts one share of this sheet, however much is copied in it. The server knows who has shared before. */
function useShareCount(id: string): () => void {
  const viewer = useViewer();
  const isTold = useRef(false);
  return () => {
    if (!viewer || isTold.current) return;
    isTold.current = true;
    client.call(api.engagement.share, { params: { id } }).catch(() => {
      // The link is out already, which is all that was asked for; the next share counts.
      isTold.current = false;
    });
  };
}

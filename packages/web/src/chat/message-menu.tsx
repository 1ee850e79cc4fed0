import type { ChatConversation, ViewMessage } from '@hvideo/client';
import type { Member } from '@hvideo/protocol';
import { Copy, Eye, RefreshCw, Reply, Trash2 } from 'lucide-react';
import { useCallback, useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { MenuAt, MenuItem, MenuNote } from '../ui/menu.tsx';
import { toast } from '../ui/toast.tsx';
import { type MenuPlace, useTimeline } from './timeline-context.ts';
import { useLongPress } from './use-long-press.ts';

interface OpenMenu {
  readonly message: ViewMessage;
  readonly place: MenuPlace;
}

/** One menu for all messages: opened by a message's button, by the other mouse button, or by a long press. */
export function useMessageMenu(conversation: ChatConversation) {
  const [opened, setOpened] = useState<OpenMenu>();
  const open = useCallback((message: ViewMessage, place: MenuPlace) => setOpened({ message, place }), []);
  const close = useCallback(() => setOpened(undefined), []);
  const listProps = useLongPress((target, x, y) => {
    const row = target.closest('[data-bubble]')?.closest<HTMLElement>('[data-row]');
    const key = row?.dataset['row'];
    const message = conversation.snapshot().messages.find((candidate) => candidate.key === key);
    if (!row || !message) return false;
    open(message, { x, y, opener: row.querySelector<HTMLElement>('[data-options]') });
    return true;
  });
  return { opened, open, close, listProps };
}

interface MessageMenuProps {
  menu: ReturnType<typeof useMessageMenu>;
  conversation: ChatConversation;
  members: readonly Member[];
  viewerId: string;
}

export function MessageMenu({ menu: { opened, close }, conversation, members, viewerId }: MessageMenuProps) {
  const { t } = useTexts();
  const { reply } = useTimeline();
  if (opened === undefined) return null;
  const { message, place } = opened;
  const { content, seq, key, isOwn, state } = message;
  const others = members.filter(({ user }) => user.id !== viewerId);
  const readers = others.filter(({ readSeq }) => seq !== null && readSeq >= seq).length;
  const copy = (text: string) => {
    navigator.clipboard.writeText(text).then(
      () => toast(t('chat:copied')),
      () => toast(t('chat:copyFailed'), 'error'),
    );
  };
  return (
    <MenuAt place={place} onClose={close}>
      {state !== 'failed' && (
        <MenuItem icon={<Reply size={18} aria-hidden />} onSelect={() => reply(message)}>
          {t('chat:reply')}
        </MenuItem>
      )}
      {content.type === 'text' && (
        <MenuItem icon={<Copy size={18} aria-hidden />} onSelect={() => copy(content.text)}>
          {t('chat:copy')}
        </MenuItem>
      )}
      {state === 'failed' && (
        <>
          <MenuItem icon={<RefreshCw size={18} aria-hidden />} onSelect={() => conversation.retry(key)}>
            {t('chat:resend')}
          </MenuItem>
          <MenuItem danger icon={<Trash2 size={18} aria-hidden />} onSelect={() => conversation.discard(key)}>
            {t('chat:discard')}
          </MenuItem>
        </>
      )}
      {isOwn && seq !== null && others.length > 1 && (
        <MenuNote icon={<Eye size={16} aria-hidden />}>
          {t('chat:readBy', { count: readers, total: others.length })}
        </MenuNote>
      )}
    </MenuAt>
  );
}

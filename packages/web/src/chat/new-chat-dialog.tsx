import { CONVERSATION_TITLE_MAX, GROUP_MEMBERS_MAX, type User } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from '../ui/button.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { TextField } from '../ui/field.tsx';
import { Form } from '../ui/form.tsx';
import { PeoplePicker } from './people-picker.tsx';
import { cleanText } from './text-parts.ts';
import { useChat } from './use-chat.ts';

interface NewChatDialogProps {
  viewerId: string;
  onClose(): void;
}

/** Begins a conversation: with one person, or with several as a group. It is open as long as it is there. */
export function NewChatDialog({ viewerId, onClose }: NewChatDialogProps) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<readonly User[]>([]);
  const [title, setTitle] = useState('');
  const create = useCreate(chosen, cleanText(title), (id) => {
    onClose();
    void navigate({ to: '/messages/$conversation', params: { conversation: id } });
  });
  const isGroup = chosen.length > 1;
  const isFull = chosen.length > GROUP_MEMBERS_MAX - 1;
  const submit = () => {
    if (chosen.length > 0 && !isFull && !create.isPending) create.mutate();
  };
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={t('chat:picker.title')}
      description={t('chat:picker.text')}
      footer={
        <Button
          tone="accent"
          block
          busy={create.isPending}
          disabled={chosen.length === 0 || isFull}
          onClick={submit}
        >
          {isGroup ? t('chat:picker.startGroup', { count: chosen.length + 1 }) : t('chat:picker.startDirect')}
        </Button>
      }
    >
      <Form onSubmit={submit} error={create.error}>
        {isGroup && (
          <TextField
            label={t('chat:picker.titleLabel')}
            aside={t('chat:picker.titleHint')}
            error={isFull ? t('chat:picker.full', { max: GROUP_MEMBERS_MAX }) : undefined}
            value={title}
            maxLength={CONVERSATION_TITLE_MAX}
            autoComplete="off"
            onChange={(event) => setTitle(event.target.value)}
          />
        )}
        <PeoplePicker viewerId={viewerId} chosen={chosen} onChange={setChosen} />
      </Form>
    </Dialog>
  );
}

function useCreate(chosen: readonly User[], title: string, onCreated: (id: string) => void) {
  const chat = useChat();
  return useMutation({
    mutationFn: () => {
      const memberIds = chosen.map(({ id }) => id);
      return chat.create(
        chosen.length === 1
          ? { type: 'direct', memberIds }
          : { type: 'group', memberIds, ...(title !== '' && { title }) },
      );
    },
    onSuccess: ({ id }) => onCreated(id),
  });
}

import type { ConversationSummary } from '@hvideo/client';
import { CONVERSATION_TITLE_MAX, type Member, type User } from '@hvideo/protocol';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { LogOut, UserRoundPlus } from 'lucide-react';
import { useState } from 'react';
import { errorText } from '../app/errors.ts';
import { queryClient } from '../app/query.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from '../ui/button.tsx';
import { ConfirmDialog, Dialog } from '../ui/dialog.tsx';
import { TextField } from '../ui/field.tsx';
import { Form, formStyles } from '../ui/form.tsx';
import { PagedList } from '../ui/paged-list.tsx';
import { toast } from '../ui/toast.tsx';
import styles from './group-dialog.module.css';
import { addMembers, membersQuery, removeMember, renameGroup } from './group-queries.ts';
import { MemberRow } from './member-row.tsx';
import { PeoplePicker } from './people-picker.tsx';
import { cleanText } from './text-parts.ts';

interface GroupDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  conversation: ConversationSummary;
  viewerId: string;
}

/** All about a group: what it is called, who is in it, who comes, and the way out. */
export function GroupDialog({ open, onOpenChange, conversation, viewerId }: GroupDialogProps) {
  const { t } = useTexts();
  const [isAdding, setAdding] = useState(false);
  return (
    <Dialog
      open={open}
      onOpenChange={(isOpen) => {
        onOpenChange(isOpen);
        setAdding(false);
      }}
      title={t(isAdding ? 'chat:group.addTitle' : 'chat:group.title')}
      description={isAdding ? t('chat:group.addText') : undefined}
    >
      {isAdding ? (
        <Add conversation={conversation} viewerId={viewerId} onDone={() => setAdding(false)} />
      ) : (
        <div className={styles['group']}>
          <Name key={conversation.title} conversation={conversation} />
          <Members conversation={conversation} viewerId={viewerId} onAdd={() => setAdding(true)} />
          <Leave conversation={conversation} viewerId={viewerId} />
        </div>
      )}
    </Dialog>
  );
}

function Name({ conversation: { id, title } }: { conversation: ConversationSummary }) {
  const { t } = useTexts();
  const [text, setText] = useState(title ?? '');
  const wanted = cleanText(text);
  const rename = useMutation({
    mutationFn: () => renameGroup(id, wanted),
    onSuccess: () => toast(t('chat:group.renamed')),
  });
  const isChanged = wanted !== '' && wanted !== (title ?? '');
  return (
    <Form onSubmit={() => isChanged && rename.mutate()} error={rename.error}>
      <TextField
        label={t('chat:group.name')}
        value={text}
        maxLength={CONVERSATION_TITLE_MAX}
        autoComplete="off"
        onChange={(event) => setText(event.target.value)}
        after={
          isChanged && (
            <Button type="submit" size="sm" tone="accent" busy={rename.isPending}>
              {t('chat:group.rename')}
            </Button>
          )
        }
      />
    </Form>
  );
}

interface MembersProps {
  conversation: ConversationSummary;
  viewerId: string;
  onAdd(): void;
}

function Members({ conversation, viewerId, onAdd }: MembersProps) {
  const { t } = useTexts();
  const { id, memberCount, role } = conversation;
  const query = useInfiniteQuery(membersQuery(id));
  const [leaving, setLeaving] = useState<Member>();
  const remove = useMutation({
    mutationFn: (userId: string) => removeMember(id, userId),
    onSuccess: () => {
      setLeaving(undefined);
      return queryClient.invalidateQueries({ queryKey: membersQuery(id).queryKey });
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <section aria-label={t('chat:group.members')}>
      <div className={styles['head']}>
        <h3>{t('chat:members', { count: memberCount })}</h3>
        <Button size="sm" icon={<UserRoundPlus size={17} aria-hidden />} onClick={onAdd}>
          {t('chat:group.add')}
        </Button>
      </div>
      <PagedList query={query}>
        {(member) => (
          <MemberRow
            key={member.user.id}
            member={member}
            isViewer={member.user.id === viewerId}
            onRemove={role === 'owner' && member.user.id !== viewerId ? () => setLeaving(member) : undefined}
          />
        )}
      </PagedList>
      <ConfirmDialog
        open={leaving !== undefined}
        onOpenChange={() => setLeaving(undefined)}
        title={t('chat:group.removeTitle', { name: leaving?.user.displayName ?? '' })}
        description={t('chat:group.removeText')}
        confirmLabel={t('chat:group.remove')}
        danger
        busy={remove.isPending}
        onConfirm={() => leaving && remove.mutate(leaving.user.id)}
      />
    </section>
  );
}

function Leave({ conversation: { id }, viewerId }: Omit<MembersProps, 'onAdd'>) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const [isAsking, setAsking] = useState(false);
  const leave = useMutation({
    mutationFn: () => removeMember(id, viewerId),
    onSuccess: async () => {
      await navigate({ to: '/messages', replace: true });
      toast(t('chat:group.left'));
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <>
      <Button tone="warn" block icon={<LogOut size={18} aria-hidden />} onClick={() => setAsking(true)}>
        {t('chat:group.leave')}
      </Button>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={t('chat:group.leaveTitle')}
        description={t('chat:group.leaveText')}
        confirmLabel={t('chat:group.leave')}
        danger
        busy={leave.isPending}
        onConfirm={() => leave.mutate()}
      />
    </>
  );
}

function Add({ conversation: { id }, viewerId, onDone }: Omit<MembersProps, 'onAdd'> & { onDone(): void }) {
  const { t } = useTexts();
  const [chosen, setChosen] = useState<readonly User[]>([]);
  const members = useInfiniteQuery(membersQuery(id));
  const inside = new Set(members.data?.pages.flatMap(({ items }) => items.map(({ user }) => user.id)));
  const add = useMutation({
    mutationFn: () =>
      addMembers(
        id,
        chosen.map((user) => user.id),
      ),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: membersQuery(id).queryKey });
      toast(t('chat:group.added'));
      onDone();
    },
  });
  return (
    <Form onSubmit={() => chosen.length > 0 && add.mutate()} error={add.error}>
      <PeoplePicker viewerId={viewerId} chosen={chosen} onChange={setChosen} without={inside} />
      <div className={formStyles['end']}>
        <Button onClick={onDone}>{t('actions.back')}</Button>
        <Button type="submit" tone="accent" busy={add.isPending} disabled={chosen.length === 0}>
          {chosen.length === 0 ? t('chat:group.add') : t('chat:group.addCount', { count: chosen.length })}
        </Button>
      </div>
    </Form>
  );
}

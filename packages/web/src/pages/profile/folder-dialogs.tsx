import { api, FOLDER_NAME_MAX, type Folder, type VideoCard } from '@hvideo/protocol';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Bookmark, Check, Folder as FolderIcon, FolderPlus } from 'lucide-react';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog, Dialog } from '../../ui/dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { Form, textOf } from '../../ui/form.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { toast } from '../../ui/toast.tsx';
import styles from './folders.module.css';
import { foldersQuery, refreshFavorites } from './list-queries.ts';

interface FolderNameDialogProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  /** The one to be renamed; without it a new one is made. */
  folder?: Folder;
  onDone?: (folder: Folder) => void;
}

export function FolderNameDialog({ open, onOpenChange, folder, onDone }: FolderNameDialogProps) {
  const { t } = useTexts();
  const save = useMutation({
    mutationFn: (name: string) =>
      folder === undefined
        ? client.call(api.engagement.createFolder, { body: { name } })
        : client.call(api.engagement.renameFolder, { params: { id: folder.id }, body: { name } }),
    onSuccess: async (saved) => {
      await refreshFavorites();
      onOpenChange(false);
      onDone?.(saved);
    },
  });
  const change = (next: boolean) => {
    if (next) save.reset();
    onOpenChange(next);
  };
  return (
    <Dialog
      open={open}
      onOpenChange={change}
      title={t(folder === undefined ? 'lists:folder.new' : 'lists:folder.rename')}
    >
      <Form
        error={save.error}
        onSubmit={(values) => {
          const name = textOf(values, 'name').trim();
          if (name !== '') save.mutate(name);
        }}
      >
        <TextField
          label={t('lists:folder.name')}
          name="name"
          defaultValue={folder?.name}
          maxLength={FOLDER_NAME_MAX}
          required
          autoComplete="off"
        />
        <div className={styles['end']}>
          <Button onClick={() => onOpenChange(false)}>{t('actions.cancel')}</Button>
          <Button type="submit" tone="accent" busy={save.isPending}>
            {t(folder === undefined ? 'lists:folder.create' : 'actions.save')}
          </Button>
        </div>
      </Form>
    </Dialog>
  );
}

interface DeleteFolderDialogProps {
  folder: Folder;
  open: boolean;
  onOpenChange(open: boolean): void;
  onDeleted(): void;
}

export function DeleteFolderDialog({ folder, open, onOpenChange, onDeleted }: DeleteFolderDialogProps) {
  const { t } = useTexts();
  const remove = useMutation({
    mutationFn: () => client.call(api.engagement.deleteFolder, { params: { id: folder.id } }),
    onSuccess: async () => {
      onOpenChange(false);
      onDeleted();
      toast(t('lists:folder.deleted', { name: folder.name }));
      await refreshFavorites();
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={t('lists:folder.deleteTitle', { name: folder.name })}
      description={t('lists:folder.deleteText')}
      confirmLabel={t('actions.delete')}
      danger
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    />
  );
}

interface MoveDialogProps {
  card: VideoCard;
  /** Where it is now, if that is known. */
  current?: string | undefined;
  open: boolean;
  onOpenChange(open: boolean): void;
}

/** Puts a favourite into a folder, a new one too, or out of all of them. */
export function MoveDialog({ card, current, open, onOpenChange }: MoveDialogProps) {
  const { t } = useTexts();
  const [isNaming, setNaming] = useState(false);
  const query = useQuery({ ...foldersQuery, enabled: open });
  const move = useMutation({
    mutationFn: (folder: Folder | undefined) =>
      client.call(api.engagement.favorite, {
        params: { id: card.id },
        query: { folder: folder?.id ?? 'none' },
      }),
    onSuccess: async (_none, folder) => {
      onOpenChange(false);
      toast(folder ? t('lists:favorites.moved', { folder: folder.name }) : t('lists:favorites.movedOut'));
      await refreshFavorites();
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <>
      <Dialog open={open} onOpenChange={onOpenChange} title={t('lists:favorites.moveTitle')}>
        {query.isError ? (
          <ErrorNotice compact error={query.error} onRetry={() => void query.refetch()} />
        ) : (
          <ul className={styles['choices']}>
            <li>
              <button type="button" onClick={() => setNaming(true)}>
                <FolderPlus size={20} aria-hidden />
                <span>{t('lists:folder.new')}</span>
              </button>
            </li>
            <li>
              <button type="button" disabled={move.isPending} onClick={() => move.mutate(undefined)}>
                <Bookmark size={20} aria-hidden />
                <span>{t('lists:favorites.noFolder')}</span>
              </button>
            </li>
            {query.isPending && <Skeleton height="3rem" />}
            {query.data?.map((folder) => (
              <li key={folder.id}>
                <button
                  type="button"
                  disabled={move.isPending || folder.id === current}
                  onClick={() => move.mutate(folder)}
                >
                  <FolderIcon size={20} aria-hidden />
                  <span>{folder.name}</span>
                  {folder.id === current ? <Check size={18} aria-hidden /> : <small>{folder.count}</small>}
                </button>
              </li>
            ))}
          </ul>
        )}
      </Dialog>
      <FolderNameDialog open={isNaming} onOpenChange={setNaming} onDone={(folder) => move.mutate(folder)} />
    </>
  );
}

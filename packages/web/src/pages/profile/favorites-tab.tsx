import { api, type Folder, type UserProfile, type VideoCard } from '@hvideo/protocol';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import {
  ArrowLeft,
  BookmarkX,
  Ellipsis,
  Folder as FolderIcon,
  FolderInput,
  Pencil,
  Plus,
  Trash2,
} from 'lucide-react';
import { useState } from 'react';
import { client } from '../../app/client.ts';
import { errorText } from '../../app/errors.ts';
import { useViewer } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { IconButton } from '../../ui/button.tsx';
import { CoverImage } from '../../ui/cover-image.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { ErrorNotice, Notice } from '../../ui/notice.tsx';
import { PageSpinner } from '../../ui/spinner.tsx';
import { toast } from '../../ui/toast.tsx';
import { CardList } from './card-list.tsx';
import { DeleteFolderDialog, FolderNameDialog, MoveDialog } from './folder-dialogs.tsx';
import styles from './folders.module.css';
import { cardListQuery, foldersQuery, refreshFavorites } from './list-queries.ts';

/** What somebody keeps; for themselves with the folders it lies in. */
export function FavoritesTab({ profile, folder }: { profile: UserProfile; folder: string | undefined }) {
  const isOwn = useViewer()?.id === profile.id;
  const kept = useInfiniteQuery({ ...cardListQuery(profile.id, 'favorites'), enabled: isOwn });
  const folders = useQuery({ ...foldersQuery, enabled: isOwn });
  // Nobody sorts what they do not have.
  const isEmpty = kept.data?.pages[0]?.items.length === 0 && folders.data?.length === 0;
  if (!isOwn) return <CardList profile={profile} list="favorites" />;
  if (folder !== undefined) return <OneFolder profile={profile} id={folder} />;
  return (
    <>
      {!kept.isPending && !isEmpty && <FolderGrid handle={`@${profile.username}`} />}
      <CardList
        profile={profile}
        list="favorites"
        action={(card) => <FavoriteMenu card={card} folder={undefined} />}
      />
    </>
  );
}

function FolderGrid({ handle }: { handle: string }) {
  const { t } = useTexts();
  const [isNaming, setNaming] = useState(false);
  const query = useQuery(foldersQuery);
  if (query.isError && !query.data) {
    return <ErrorNotice compact error={query.error} onRetry={() => void query.refetch()} />;
  }
  return (
    <>
      <ul className={styles['folders']} aria-label={t('lists:folder.label')}>
        <li>
          <button
            type="button"
            className={`${styles['folder']} ${styles['new']}`}
            onClick={() => setNaming(true)}
          >
            <span className={styles['stack']}>
              <span className={styles['sheet']}>
                <Plus size={26} aria-hidden />
              </span>
            </span>
            <strong>{t('lists:folder.new')}</strong>
          </button>
        </li>
        {query.data?.map((folder) => (
          <li key={folder.id}>
            <Link
              to="/$handle/favorites/$folder"
              params={{ handle, folder: folder.id }}
              resetScroll={false}
              className={styles['folder']}
            >
              <span className={styles['stack']}>
                <span className={styles['sheet']}>
                  <CoverImage url={folder.coverUrl} fallback={<FolderIcon size={26} aria-hidden />} />
                </span>
              </span>
              <strong>{folder.name}</strong>
              <small>{t('lists:folder.count', { count: folder.count })}</small>
            </Link>
          </li>
        ))}
      </ul>
      <FolderNameDialog open={isNaming} onOpenChange={setNaming} />
    </>
  );
}

function OneFolder({ profile, id }: { profile: UserProfile; id: string }) {
  const { t } = useTexts();
  const query = useQuery(foldersQuery);
  const handle = `@${profile.username}`;
  const folder = query.data?.find((each) => each.id === id);
  const back = (
    <Link
      to="/$handle/$tab"
      params={{ handle, tab: 'favorites' }}
      className={styles['back']}
      aria-label={t('lists:folder.all')}
      resetScroll={false}
    >
      <ArrowLeft size={20} aria-hidden />
    </Link>
  );
  if (query.isError && !query.data) {
    return <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />;
  }
  if (query.isPending) return <PageSpinner />;
  if (!folder) return <Notice compact title={t('lists:folder.notFound')} actions={back} />;
  return (
    <>
      <div className={styles['heading']}>
        {back}
        <h2>
          {folder.name}
          <small>{t('lists:folder.count', { count: folder.count })}</small>
        </h2>
        <FolderMenu folder={folder} handle={handle} />
      </div>
      <CardList
        profile={profile}
        list="favorites"
        folder={id}
        action={(card) => <FavoriteMenu card={card} folder={id} />}
      />
    </>
  );
}

function FolderMenu({ folder, handle }: { folder: Folder; handle: string }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const [open, setOpen] = useState<'rename' | 'delete' | undefined>(undefined);
  const close = () => setOpen(undefined);
  return (
    <>
      <Menu
        trigger={
          <IconButton label={t('lists:folder.menu', { name: folder.name })} tone="soft">
            <Ellipsis size={20} aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<Pencil size={18} aria-hidden />} onSelect={() => setOpen('rename')}>
          {t('lists:folder.renameShort')}
        </MenuItem>
        <MenuItem danger icon={<Trash2 size={18} aria-hidden />} onSelect={() => setOpen('delete')}>
          {t('lists:folder.delete')}
        </MenuItem>
      </Menu>
      <FolderNameDialog folder={folder} open={open === 'rename'} onOpenChange={close} />
      <DeleteFolderDialog
        folder={folder}
        open={open === 'delete'}
        onOpenChange={close}
        onDeleted={() =>
          void navigate({ to: '/$handle/$tab', params: { handle, tab: 'favorites' }, replace: true })
        }
      />
    </>
  );
}

function FavoriteMenu({ card, folder }: { card: VideoCard; folder: string | undefined }) {
  const { t } = useTexts();
  const [isMoving, setMoving] = useState(false);
  const remove = useMutation({
    mutationFn: () => client.call(api.engagement.unfavorite, { params: { id: card.id } }),
    onSuccess: async () => {
      toast(t('lists:favorites.removed'));
      await refreshFavorites();
    },
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <>
      <Menu
        trigger={
          <IconButton size="sm" tone="over" label={t('lists:favorites.menu', { title: card.title })}>
            <Ellipsis size={18} aria-hidden />
          </IconButton>
        }
      >
        <MenuItem icon={<FolderInput size={18} aria-hidden />} onSelect={() => setMoving(true)}>
          {t('lists:favorites.move')}
        </MenuItem>
        <MenuItem danger icon={<BookmarkX size={18} aria-hidden />} onSelect={() => remove.mutate()}>
          {t('lists:favorites.remove')}
        </MenuItem>
      </Menu>
      <MoveDialog card={card} current={folder} open={isMoving} onOpenChange={setMoving} />
    </>
  );
}

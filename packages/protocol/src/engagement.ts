import { z } from 'zod';
import { Id, PageQuery, pageOf, Timestamp, text } from './common.ts';
import { endpoint } from './endpoint.ts';
import { UserId } from './users.ts';
import { VideoCard } from './videos.ts';

export const FOLDER_NAME_MAX = 40;
export const REPOST_COMMENT_MAX = 500;

const one = z.object({ id: Id });
const person = z.object({ id: UserId });

export const Folder = z
  .object({
    id: Id,
    name: z.string(),
    count: z.int(),
    /** Of the video that was put there last; null when there is none that can be shown. */
    coverUrl: z.string().nullable(),
    createdAt: Timestamp,
  })
  .meta({ id: 'Folder', description: 'A folder of favourites' });
export type Folder = z.infer<typeof Folder>;

/** Who may see one's lists of likes, favourites and watched videos. */
export const ListSettings = z
  .object({ likes: z.boolean(), favorites: z.boolean(), history: z.boolean() })
  .meta({ id: 'ListSettings', description: 'true: everybody may see the list' });
export type ListSettings = z.infer<typeof ListSettings>;

const FolderName = text(1, FOLDER_NAME_MAX);

const reaction = <Method extends 'PUT' | 'POST' | 'DELETE'>(method: Method, path: string, summary: string) =>
  endpoint({
    method,
    path,
    tag: 'engagement',
    summary,
    access: 'user',
    limit: 'write',
    params: one,
    status: 204,
  });

const ownList = (path: string, summary: string) =>
  endpoint({
    method: 'GET',
    path,
    tag: 'engagement',
    summary,
    access: 'optional',
    limit: 'read',
    params: person,
    query: PageQuery,
    status: 200,
    response: pageOf(VideoCard),
    problems: ['invalid-cursor', 'list-private'],
  });

const folderPath = '/users/me/folders';

export const engagement = {
  like: reaction('PUT', '/videos/{id}/like', 'Like a video'),
  unlike: reaction('DELETE', '/videos/{id}/like', 'Take a like back'),
  favorite: endpoint({
    method: 'PUT',
    path: '/videos/{id}/favorite',
    tag: 'engagement',
    summary: 'Keep a video; `folder` puts it there, or moves it; `none` takes it out of its folder',
    access: 'user',
    limit: 'write',
    params: one,
    query: z.object({ folder: z.union([Id, z.literal('none')]).optional() }),
    status: 204,
  }),
  unfavorite: reaction('DELETE', '/videos/{id}/favorite', 'No longer keep a video'),
  repost: endpoint({
    method: 'POST',
    path: '/videos/{id}/repost',
    tag: 'engagement',
    summary:
      'Recommend a video to one’s followers; again with another comment changes it, and an empty one takes it away',
    access: 'user',
    limit: 'write',
    params: one,
    body: z.object({ comment: text(0, REPOST_COMMENT_MAX).optional() }),
    status: 204,
  }),
  unrepost: reaction('DELETE', '/videos/{id}/repost', 'Take a repost back'),
  share: reaction(
    'POST',
    '/videos/{id}/shares',
    'Tell that one has shared a video: counts once for each person',
  ),
  likes: ownList('/users/{id}/likes', 'What somebody likes, the last first'),
  favorites: endpoint({
    method: 'GET',
    path: '/users/{id}/favorites',
    tag: 'engagement',
    summary: 'What somebody keeps, the last first; `folder` shows one folder',
    access: 'optional',
    limit: 'read',
    params: person,
    query: PageQuery.extend({ folder: Id.optional() }),
    status: 200,
    response: pageOf(VideoCard),
    problems: ['invalid-cursor', 'list-private'],
  }),
  lists: endpoint({
    method: 'GET',
    path: '/users/{id}/lists',
    tag: 'engagement',
    summary: 'Which of somebody’s lists the viewer may see',
    access: 'optional',
    limit: 'read',
    params: person,
    status: 200,
    response: ListSettings,
  }),
  settings: endpoint({
    method: 'GET',
    path: '/users/me/list-settings',
    tag: 'engagement',
    summary: 'Which of one’s lists are public',
    access: 'user',
    limit: 'read',
    status: 200,
    response: ListSettings,
  }),
  changeSettings: endpoint({
    method: 'PATCH',
    path: '/users/me/list-settings',
    tag: 'engagement',
    summary: 'Make lists public or private; absent ones stay',
    access: 'user',
    limit: 'write',
    body: ListSettings.partial(),
    status: 200,
    response: ListSettings,
  }),
  folders: endpoint({
    method: 'GET',
    path: folderPath,
    tag: 'engagement',
    summary: 'One’s folders of favourites, by name',
    access: 'user',
    limit: 'read',
    status: 200,
    response: z.object({ items: z.array(Folder) }),
  }),
  createFolder: endpoint({
    method: 'POST',
    path: folderPath,
    tag: 'engagement',
    summary: 'A new folder',
    access: 'user',
    limit: 'write',
    body: z.object({ name: FolderName }),
    status: 201,
    response: Folder,
    problems: ['folder-exists', 'too-many-folders'],
  }),
  renameFolder: endpoint({
    method: 'PATCH',
    path: `${folderPath}/{id}`,
    tag: 'engagement',
    summary: 'Rename a folder',
    access: 'user',
    limit: 'write',
    params: one,
    body: z.object({ name: FolderName }),
    status: 200,
    response: Folder,
    problems: ['folder-exists'],
  }),
  deleteFolder: endpoint({
    method: 'DELETE',
    path: `${folderPath}/{id}`,
    tag: 'engagement',
    summary: 'Delete a folder; what it holds stays kept, outside of folders',
    access: 'user',
    limit: 'write',
    params: one,
    status: 204,
  }),
};

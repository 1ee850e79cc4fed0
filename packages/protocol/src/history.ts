import { z } from 'zod';
import { Id, PageQuery, pageOf, Timestamp } from './common.ts';
import { endpoint } from './endpoint.ts';
import { UserId } from './users.ts';
import { VideoCard } from './videos.ts';

const one = z.object({ id: Id });
const Milliseconds = z.int().min(0).max(86_400_000);

/** What a player tells of a viewing, as often as it likes: it counts once for each viewer, video and half hour. */
export const ViewReport = z
  .object({
    watchedMs: Milliseconds,
    /** Where to go on; absent: the history is left as it is. */
    positionMs: Milliseconds.optional(),
    completed: z.boolean().default(false),
  })
  .meta({ id: 'ViewReport' });
export type ViewReport = z.infer<typeof ViewReport>;

export const HistoryEntry = z
  .object({ video: VideoCard, positionMs: z.int(), completed: z.boolean(), watchedAt: Timestamp })
  .meta({ id: 'HistoryEntry' });
export type HistoryEntry = z.infer<typeof HistoryEntry>;

/** Where to go on in one video. */
export const HistoryPlace = z
  .object({ positionMs: z.int(), completed: z.boolean() })
  .meta({ id: 'HistoryPlace' });
export type HistoryPlace = z.infer<typeof HistoryPlace>;

export const HistorySettings = z
  .object({
    /** While it is, nothing is added. */
    paused: z.boolean(),
  })
  .meta({ id: 'HistorySettings' });
export type HistorySettings = z.infer<typeof HistorySettings>;

export const history = {
  view: endpoint({
    method: 'POST',
    path: '/videos/{id}/views',
    tag: 'history',
    summary: 'Tell that the video is being watched. Counts only for those who have fetched some of it',
    access: 'optional',
    limit: 'write',
    params: one,
    body: ViewReport,
    status: 202,
  }),
  list: endpoint({
    method: 'GET',
    path: '/users/me/history',
    tag: 'history',
    summary: 'What one has watched, the last first',
    access: 'user',
    limit: 'read',
    query: PageQuery,
    status: 200,
    response: pageOf(HistoryEntry),
    problems: ['invalid-cursor'],
  }),
  of: endpoint({
    method: 'GET',
    path: '/users/{id}/history',
    tag: 'history',
    summary: 'What somebody has watched, if their history is public',
    access: 'optional',
    limit: 'read',
    params: z.object({ id: UserId }),
    query: PageQuery,
    status: 200,
    response: pageOf(VideoCard),
    problems: ['invalid-cursor', 'list-private'],
  }),
  place: endpoint({
    method: 'GET',
    path: '/users/me/history/{id}',
    tag: 'history',
    summary: 'Where one was in this video; the beginning when the history does not hold it',
    access: 'user',
    limit: 'read',
    params: one,
    status: 200,
    response: HistoryPlace,
  }),
  clear: endpoint({
    method: 'DELETE',
    path: '/users/me/history',
    tag: 'history',
    summary: 'Forget all that one has watched',
    access: 'user',
    limit: 'write',
    status: 204,
  }),
  remove: endpoint({
    method: 'DELETE',
    path: '/users/me/history/{id}',
    tag: 'history',
    summary: 'Forget that one has watched this video',
    access: 'user',
    limit: 'write',
    params: one,
    status: 204,
  }),
  settings: endpoint({
    method: 'GET',
    path: '/users/me/history-settings',
    tag: 'history',
    summary: 'Whether the history is paused',
    access: 'user',
    limit: 'read',
    status: 200,
    response: HistorySettings,
  }),
  changeSettings: endpoint({
    method: 'PUT',
    path: '/users/me/history-settings',
    tag: 'history',
    summary: 'Pause the history, or go on with it',
    access: 'user',
    limit: 'write',
    body: HistorySettings,
    status: 200,
    response: HistorySettings,
  }),
};

import { z } from 'zod';
import { Id, PageQuery, pageOf, Timestamp } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Relation, User } from './users.ts';

/** The unread ones are counted up to here. */
export const UNREAD_MAX = 100;

export const NotificationKind = z.enum([
  'like',
  'repost',
  'comment',
  'reply',
  'mention',
  'comment-like',
  'follow',
]);
export type NotificationKind = z.infer<typeof NotificationKind>;

/** `comments`: also replies and mentions. `likes`: also those of comments, and reposts. */
export const NotificationFilter = z.enum(['comments', 'likes', 'follows']);
export type NotificationFilter = z.infer<typeof NotificationFilter>;

export const Notification = z
  .object({
    id: Id,
    kind: NotificationKind,
    /** The last three who did it, the newest first. */
    actors: z.array(User.extend({ relation: Relation })),
    /** All who did it. */
    count: z.int(),
    video: z.object({ id: Id, title: z.string(), coverUrl: z.string().nullable() }).nullable(),
    /** What was written last or, of a like, what is liked; the beginning of the text. */
    comment: z.object({ id: Id, text: z.string(), rootId: Id.nullable() }).nullable(),
    read: z.boolean(),
    /** Grows with each act that is gathered: what `upTo` takes. */
    position: Id,
    updatedAt: Timestamp,
  })
  .meta({ id: 'Notification', description: 'What others did that concerns one, gathered until it is read' });
export type Notification = z.infer<typeof Notification>;

export const notifications = {
  list: endpoint({
    method: 'GET',
    path: '/notifications',
    tag: 'notifications',
    summary: 'What others did that concerns one, the newest first',
    access: 'user',
    limit: 'read',
    query: PageQuery.extend({ kind: NotificationFilter.optional() }),
    status: 200,
    response: pageOf(Notification),
    problems: ['invalid-cursor'],
  }),
  unread: endpoint({
    method: 'GET',
    path: '/notifications/unread',
    tag: 'notifications',
    summary: `How many have not been read; more than ${UNREAD_MAX - 1} are ${UNREAD_MAX}`,
    access: 'user',
    limit: 'read',
    status: 200,
    response: z.object({ count: z.int().max(UNREAD_MAX) }),
  }),
  read: endpoint({
    method: 'POST',
    path: '/notifications/read',
    tag: 'notifications',
    summary: 'They have been read: all, or those up to a position. What came since stays unread',
    access: 'user',
    limit: 'write',
    body: z.object({ upTo: Id.optional() }),
    status: 204,
  }),
};

import { z } from 'zod';
import { Id, PageQuery, pageOf, Timestamp, text } from './common.ts';
import { endpoint } from './endpoint.ts';
import { User } from './users.ts';

export const COMMENT_MAX = 1000;

/**
 * Somebody called by name in a text. What follows a Latin letter or a digit is an address of mail; Chinese and other
 * scripts put no space before a name.
 */
export const MENTION = /(?<![\p{Script=Latin}\p{N}_.@])@([A-Za-z0-9_]{3,30})(?![A-Za-z0-9_])/gu;

const one = z.object({ id: Id });

/** Threads have two levels: what answers a reply stands beside it and says whom it answers. */
export const Comment = z
  .object({
    id: Id,
    videoId: Id,
    author: User,
    text: z.string(),
    createdAt: Timestamp,
    /** The comment whose thread it stands in; null: it begins one. */
    rootId: Id.nullable(),
    /** In a thread: whom it answers, unless that is the one who began it. */
    replyTo: User.nullable(),
    likes: z.int(),
    replies: z.int(),
    pinned: z.boolean(),
    /** Written by the author of the video. */
    byCreator: z.boolean(),
    viewer: z.object({ own: z.boolean(), liked: z.boolean(), mayDelete: z.boolean(), mayPin: z.boolean() }),
  })
  .meta({ id: 'Comment' });
export type Comment = z.infer<typeof Comment>;

export const CommentOrder = z.enum(['heat', 'time']);
export type CommentOrder = z.infer<typeof CommentOrder>;

const write = <Method extends 'PUT' | 'DELETE'>(method: Method, path: string, summary: string) =>
  endpoint({
    method,
    path,
    tag: 'comments',
    summary,
    access: 'user',
    limit: 'write',
    params: one,
    status: 204,
  });

export const comments = {
  list: endpoint({
    method: 'GET',
    path: '/videos/{id}/comments',
    tag: 'comments',
    summary: 'What people say about a video: the pinned comment, then the most liked or the newest first',
    access: 'optional',
    limit: 'read',
    params: one,
    query: PageQuery.extend({ sort: CommentOrder.default('heat') }),
    status: 200,
    response: pageOf(Comment),
    problems: ['invalid-cursor'],
  }),
  create: endpoint({
    method: 'POST',
    path: '/videos/{id}/comments',
    tag: 'comments',
    summary: 'Say something about a video, or answer a comment',
    access: 'user',
    limit: 'write',
    params: one,
    body: z.object({ text: text(1, COMMENT_MAX), replyTo: Id.optional() }),
    status: 201,
    response: Comment,
    problems: ['comment-gone'],
  }),
  get: endpoint({
    method: 'GET',
    path: '/comments/{id}',
    tag: 'comments',
    summary: 'One comment',
    access: 'optional',
    limit: 'read',
    params: one,
    status: 200,
    response: Comment,
  }),
  replies: endpoint({
    method: 'GET',
    path: '/comments/{id}/replies',
    tag: 'comments',
    summary: 'The thread below a comment, oldest first',
    access: 'optional',
    limit: 'read',
    params: one,
    query: PageQuery,
    status: 200,
    response: pageOf(Comment),
    problems: ['invalid-cursor'],
  }),
  delete: write(
    'DELETE',
    '/comments/{id}',
    'Delete a comment and its thread: its writer, the video’s author, or a moderator',
  ),
  like: write('PUT', '/comments/{id}/like', 'Like a comment'),
  unlike: write('DELETE', '/comments/{id}/like', 'Take the like of a comment back'),
  pin: write('PUT', '/comments/{id}/pin', 'Show a comment first, in place of any other: the video’s author'),
  unpin: write('DELETE', '/comments/{id}/pin', 'No longer show it first'),
};

import { z } from 'zod';
import { Id, PageQuery, pageOf, Timestamp } from './common.ts';
import { endpoint } from './endpoint.ts';

/** An account's id, or its name after an @. */
export const UserId = z
  .string()
  .max(31)
  .regex(/^(@[A-Za-z0-9_]{3,30}|[1-9][0-9]{0,18})$/, 'must be an id or @username');

/** As others see somebody beside a video or in a list. */
export const User = z
  .object({
    id: Id,
    username: z.string(),
    displayName: z.string(),
    /** A path on this server; null: draw one from the name. */
    avatarUrl: z.string().nullable(),
  })
  .meta({ id: 'User' });
export type User = z.infer<typeof User>;

/** What the viewer and somebody are to each other. */
export const Relation = z
  .object({
    self: z.boolean(),
    following: z.boolean(),
    followedBy: z.boolean(),
    muted: z.boolean(),
    blocked: z.boolean(),
  })
  .meta({ id: 'Relation' });
export type Relation = z.infer<typeof Relation>;

export const UserProfile = User.extend({
  bio: z.string(),
  createdAt: Timestamp,
  suspended: z.boolean(),
  counts: z.object({ followers: z.int(), following: z.int(), videos: z.int() }),
  /** Null for a visitor who is not signed in. */
  relation: Relation.nullable(),
}).meta({ id: 'UserProfile' });
export type UserProfile = z.infer<typeof UserProfile>;

export const UserListItem = User.extend({ bio: z.string(), relation: Relation.nullable() }).meta({
  id: 'UserListItem',
});
export type UserListItem = z.infer<typeof UserListItem>;

const target = z.object({ id: UserId });

const relationWrite = (
  method: 'PUT' | 'DELETE',
  name: string,
  summary: string,
  problems: readonly string[] = [],
) =>
  endpoint({
    method,
    path: `/users/{id}/${name}`,
    tag: 'graph',
    summary,
    access: 'user',
    limit: 'write',
    params: target,
    status: 204,
    problems: ['cannot-target-self', ...problems],
  });

const userList = <Who extends 'optional' | 'user'>(path: string, summary: string, access: Who) =>
  endpoint({
    method: 'GET',
    path,
    tag: 'graph',
    summary,
    access,
    limit: 'read',
    params: target,
    query: PageQuery,
    status: 200,
    response: pageOf(UserListItem),
  });

const ownList = (path: string, summary: string) =>
  endpoint({
    method: 'GET',
    path,
    tag: 'graph',
    summary,
    access: 'user',
    limit: 'read',
    query: PageQuery,
    status: 200,
    response: pageOf(UserListItem),
  });

export const users = {
  get: endpoint({
    method: 'GET',
    path: '/users/{id}',
    tag: 'graph',
    summary: 'A profile, with the viewer’s relation to it',
    access: 'optional',
    limit: 'read',
    params: target,
    status: 200,
    response: UserProfile,
  }),
  follow: relationWrite('PUT', 'follow', 'Follow somebody', ['blocked', 'too-many-follows']),
  unfollow: relationWrite('DELETE', 'follow', 'Stop following somebody'),
  mute: relationWrite('PUT', 'mute', 'Hide somebody’s videos from one’s feeds'),
  unmute: relationWrite('DELETE', 'mute', 'End a mute'),
  block: relationWrite('PUT', 'block', 'Block somebody: both stop following and seeing each other'),
  unblock: relationWrite('DELETE', 'block', 'End a block'),
  followers: userList('/users/{id}/followers', 'Who follows somebody, newest first', 'optional'),
  following: userList('/users/{id}/following', 'Whom somebody follows, newest first', 'optional'),
  commonFollowing: userList(
    '/users/{id}/common-following',
    'Whom both the viewer and somebody follow',
    'user',
  ),
  friends: ownList('/users/me/friends', 'People who follow the viewer and whom the viewer follows'),
  muted: ownList('/users/me/mutes', 'People the viewer has muted'),
  blocked: ownList('/users/me/blocks', 'People the viewer has blocked'),
};

import { z } from 'zod';
import { Comment } from './comments.ts';
import { Id, PageQuery, pageOf, Timestamp, text } from './common.ts';
import { endpoint } from './endpoint.ts';
import { Relation, User, UserId } from './users.ts';

export const VideoVisibility = z.enum(['public', 'followers', 'unlisted', 'private']);
export type VideoVisibility = z.infer<typeof VideoVisibility>;

/** `playable`: the smallest rendition can be watched, others are still being made. */
export const VideoStatus = z.enum(['processing', 'playable', 'ready', 'failed']);
export type VideoStatus = z.infer<typeof VideoStatus>;

export const Sprite = z
  .object({
    url: z.string(),
    columns: z.int(),
    rows: z.int(),
    tileWidth: z.int(),
    tileHeight: z.int(),
    intervalMs: z.int(),
    count: z.int(),
  })
  .meta({ id: 'Sprite', description: 'A grid of stills for the seek bar' });
export type Sprite = z.infer<typeof Sprite>;

/** Why a card is where it is. */
export const VideoReason = z
  .object({
    /** `repost`: somebody whom the viewer follows has recommended it. */
    kind: z.enum(['following', 'latest', 'author', 'repost']),
    /** The entry of the following feed: names its place there, and tells a video from its repost. */
    entryId: Id.optional(),
    repost: z.object({ by: User, comment: z.string().nullable(), at: Timestamp }).optional(),
  })
  .meta({ id: 'VideoReason' });
export type VideoReason = z.infer<typeof VideoReason>;

export const VideoCounts = z
  .object({
    likes: z.int(),
    favorites: z.int(),
    comments: z.int(),
    shares: z.int(),
    reposts: z.int(),
    views: z.int(),
    /** Estimated, within some two per cent: how many different people and, of those not signed in, addresses have watched. */
    viewers: z.int(),
  })
  .meta({ id: 'VideoCounts' });
export type VideoCounts = z.infer<typeof VideoCounts>;

/** What the viewer is to the video. */
export const ViewerState = z
  .object({
    own: z.boolean(),
    following: z.boolean(),
    liked: z.boolean(),
    favorited: z.boolean(),
    reposted: z.boolean(),
  })
  .meta({ id: 'ViewerState' });
export type ViewerState = z.infer<typeof ViewerState>;

/** What a feed shows of a video. */
export const VideoCard = z
  .object({
    id: Id,
    title: z.string(),
    description: z.string(),
    tags: z.array(z.string()),
    author: User,
    /** Null until the first rendition is made. The links are signed and expire: ask again rather than keep them. */
    coverUrl: z.string().nullable(),
    playlistUrl: z.string().nullable(),
    sprite: Sprite.nullable(),
    durationMs: z.int().nullable(),
    width: z.int().nullable(),
    height: z.int().nullable(),
    status: VideoStatus,
    visibility: VideoVisibility,
    publishedAt: Timestamp.nullable(),
    counts: VideoCounts,
    viewer: ViewerState,
    reason: VideoReason,
  })
  .meta({ id: 'VideoCard' });
export type VideoCard = z.infer<typeof VideoCard>;

/** A video as its owner sees it. */
export const OwnVideo = VideoCard.extend({
  publishAt: Timestamp.nullable(),
  createdAt: Timestamp,
  coverSuggestions: z.array(z.object({ url: z.string(), timeMs: z.int() })),
  /** Why it failed, or why it was taken down. */
  failure: z.object({ code: z.string(), title: z.string() }).nullable(),
  takenDown: z.object({ reason: z.string() }).nullable(),
}).meta({ id: 'OwnVideo' });
export type OwnVideo = z.infer<typeof OwnVideo>;

/** What a list beside a video shows of another. */
export const RelatedVideo = z
  .object({
    id: Id,
    title: z.string(),
    author: User,
    coverUrl: z.string().nullable(),
    durationMs: z.int().nullable(),
    publishedAt: Timestamp.nullable(),
  })
  .meta({ id: 'RelatedVideo' });
export type RelatedVideo = z.infer<typeof RelatedVideo>;

export const VideoDetail = z
  .object({
    video: VideoCard,
    /** Only for the owner. */
    own: OwnVideo.nullable(),
    author: User,
    relation: Relation.nullable(),
    /** The first, by heat; null when they could not be had. */
    comments: pageOf(Comment).nullable(),
    /** Null when they could not be had. */
    related: z.array(RelatedVideo).nullable(),
    /** Optional parts that could not be had in time: `counts` are zeros then, others are null. */
    degraded: z.array(z.enum(['counts', 'comments', 'related'])),
    /** Parts that are older than they should be, because the database did not answer. */
    stale: z.array(z.enum(['video', 'viewer', 'comments', 'related'])),
  })
  .meta({ id: 'VideoDetail' });
export type VideoDetail = z.infer<typeof VideoDetail>;

/** One event of `GET /videos/{id}/progress`. */
export const TranscodeProgress = z
  .object({
    status: VideoStatus,
    stage: z.enum(['queued', 'probing', 'covers', 'renditions', 'sprite', 'done', 'failed']),
    percent: z.number().min(0).max(100),
    etaMs: z.int().nullable(),
    renditions: z.array(z.string()),
    failure: z.object({ code: z.string(), title: z.string() }).nullable(),
  })
  .meta({ id: 'TranscodeProgress' });
export type TranscodeProgress = z.infer<typeof TranscodeProgress>;

export const TITLE_MAX = 100;
export const DESCRIPTION_MAX = 2000;
export const TAGS_MAX = 10;

const Tag = z
  .string()
  .transform((value) => value.normalize('NFKC').replace(/^#/, '').trim().toLowerCase())
  .refine((value) => /^[\p{L}\p{N}_]{1,30}$/u.test(value), 'letters, digits and _, up to 30');
const Tags = z
  .array(Tag)
  .max(TAGS_MAX)
  .transform((tags) => [...new Set(tags)]);

const videoFields = {
  title: text(1, TITLE_MAX),
  description: text(0, DESCRIPTION_MAX),
  tags: Tags,
  coverTimeMs: z.int().min(0).max(86_400_000),
  visibility: VideoVisibility,
  publishAt: Timestamp,
};
const one = z.object({ id: Id });

export const videos = {
  create: endpoint({
    method: 'POST',
    path: '/videos',
    tag: 'videos',
    summary: 'Publish a finished upload, now or at `publishAt`',
    access: 'user',
    limit: 'write',
    body: z.object({
      uploadId: Id,
      title: videoFields.title,
      description: videoFields.description.default(''),
      tags: videoFields.tags.default([]),
      coverTimeMs: videoFields.coverTimeMs.optional(),
      visibility: videoFields.visibility.default('public'),
      publishAt: videoFields.publishAt.optional(),
    }),
    status: 202,
    response: OwnVideo,
    problems: ['not-found', 'upload-incomplete', 'upload-used', 'publish-time-passed'],
  }),
  get: endpoint({
    method: 'GET',
    path: '/videos/{id}',
    tag: 'videos',
    summary: 'A video with all that its page shows',
    access: 'optional',
    limit: 'read',
    params: one,
    status: 200,
    response: VideoDetail,
  }),
  update: endpoint({
    method: 'PATCH',
    path: '/videos/{id}',
    tag: 'videos',
    summary: 'Change a video; absent fields stay. `publishAt: null` publishes a scheduled one now',
    access: 'user',
    limit: 'write',
    params: one,
    body: z.object({
      title: videoFields.title.optional(),
      description: videoFields.description.optional(),
      tags: videoFields.tags.optional(),
      coverTimeMs: videoFields.coverTimeMs.optional(),
      visibility: videoFields.visibility.optional(),
      publishAt: videoFields.publishAt.nullable().optional(),
    }),
    status: 200,
    response: OwnVideo,
    problems: ['video-not-ready', 'publish-time-passed'],
  }),
  delete: endpoint({
    method: 'DELETE',
    path: '/videos/{id}',
    tag: 'videos',
    summary: 'Delete one’s own video, for good',
    access: 'user',
    limit: 'write',
    params: one,
    status: 204,
  }),
  takedown: endpoint({
    method: 'POST',
    path: '/videos/{id}/takedown',
    tag: 'moderation',
    summary: 'Withdraw anybody’s video',
    access: 'moderator',
    limit: 'write',
    params: one,
    body: z.object({ reason: text(1, 500) }),
    status: 204,
  }),
  progress: endpoint({
    method: 'GET',
    path: '/videos/{id}/progress',
    tag: 'videos',
    summary: 'Server-sent events `progress` (a TranscodeProgress each) until `ready` or `failed`',
    access: 'user',
    limit: 'read',
    params: one,
    status: 200,
    rawResponse: 'text/event-stream',
  }),
  byUser: endpoint({
    method: 'GET',
    path: '/users/{id}/videos',
    tag: 'videos',
    summary: 'Somebody’s videos, newest first; one’s own list also holds what others cannot see',
    access: 'optional',
    limit: 'read',
    params: z.object({ id: UserId }),
    query: PageQuery,
    status: 200,
    response: pageOf(VideoCard),
  }),
  own: endpoint({
    method: 'GET',
    path: '/users/me/videos',
    tag: 'videos',
    summary: 'One’s own videos with their state, the last created first',
    access: 'user',
    limit: 'read',
    query: PageQuery,
    status: 200,
    response: pageOf(OwnVideo),
  }),
};

/** Where an account has read to, on all its devices. */
export const FeedPosition = z
  .object({
    entryId: Id,
    /** Leads to the page that begins with the entry. */
    cursor: z.string(),
    readAt: Timestamp,
  })
  .meta({ id: 'FeedPosition' });
export type FeedPosition = z.infer<typeof FeedPosition>;

export const FollowingPage = pageOf(VideoCard)
  .extend({
    /** For `since`, to ask for what is newer than this page; null on pages that are not the top. */
    since: z.string().nullable(),
    /** Null when nothing was read yet, and on pages with a cursor, `at` or `since`. */
    position: FeedPosition.nullable(),
  })
  .meta({ id: 'FollowingPage' });
export type FollowingPage = z.infer<typeof FollowingPage>;

const isTimeZone = (name: string) => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
};

const FollowingQuery = PageQuery.extend({
  since: z.string().max(1000).optional(),
  /** A day, up to its end in `tz`, or a moment. */
  at: z.union([z.iso.date(), z.iso.datetime({ offset: true })]).optional(),
  tz: z.string().max(64).refine(isTimeZone, 'must be the name of a time zone').default('UTC'),
}).refine(
  ({ cursor, since, at }) => [cursor, since, at].filter((start) => start !== undefined).length < 2,
  'only one of cursor, since and at',
);

/** Why an author's videos are put into one's feed when they are published, or looked up when it is read. */
export const FeedExplanation = z
  .object({
    /** `push`: put in; `pull`: looked up; `both`: on the way from one to the other. */
    mode: z.enum(['pull', 'both', 'push']),
    /** Where it should go. */
    wanted: z.enum(['pull', 'push']),
    readsPerDay: z.number(),
    postsPerDay: z.number(),
    readsPerPost: z.number(),
    /** Measured: what a push costs, in pulls. */
    threshold: z.number(),
    promoteAt: z.number(),
    demoteBelow: z.number(),
    /** 0 to 3, from followers and attention. */
    authorLevel: z.int(),
    /** Whether one has read within a week. */
    active: z.boolean(),
    /** To some minutes. */
    lastReadAt: Timestamp.nullable(),
    /** Of the author, within 30 days. */
    videosWatched: z.int(),
    /** Whether one is a core follower. */
    core: z.boolean(),
    reasons: z.array(z.object({ code: z.string(), text: z.string() })),
  })
  .meta({ id: 'FeedExplanation' });
export type FeedExplanation = z.infer<typeof FeedExplanation>;

export const feed = {
  following: endpoint({
    method: 'GET',
    path: '/feed/following',
    tag: 'feed',
    summary:
      'Videos and reposts of everybody the viewer follows, newest first. `since` answers what is newer, and again what ' +
      'came in the minute before: known entries are to be dropped. `at` starts at the end of a day, or at a moment',
    access: 'user',
    limit: 'read',
    query: FollowingQuery,
    status: 200,
    response: FollowingPage,
    problems: ['invalid-cursor'],
  }),
  readPosition: endpoint({
    method: 'PUT',
    path: '/feed/following/position',
    tag: 'feed',
    summary: 'Where one has read to; an older entry than the one that is kept changes nothing',
    access: 'user',
    limit: 'write',
    body: z.object({ entryId: Id }),
    status: 204,
    problems: ['not-found'],
  }),
  explain: endpoint({
    method: 'GET',
    path: '/feed/following/explain',
    tag: 'feed',
    summary: 'How the feed gets what somebody publishes, who is followed, and why so',
    access: 'user',
    limit: 'read',
    query: z.object({ author: Id }),
    status: 200,
    response: FeedExplanation,
    problems: ['not-found'],
  }),
  latest: endpoint({
    method: 'GET',
    path: '/feed/latest',
    tag: 'feed',
    summary: 'All public videos, newest first',
    access: 'optional',
    limit: 'read',
    query: PageQuery,
    status: 200,
    response: pageOf(VideoCard),
    problems: ['invalid-cursor'],
  }),
};

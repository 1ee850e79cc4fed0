import type { VideoVisibility } from '@hvideo/protocol';

export interface ModelVideo {
  readonly id: string;
  readonly by: number;
  visibility: VideoVisibility;
  playable: boolean;
  due: boolean;
  gone: boolean;
  /** In the order of publication. */
  key: bigint | undefined;
}

export interface ModelRepost {
  readonly video: ModelVideo;
  readonly by: number;
  key: bigint;
}

export interface ModelEntry {
  /** The video's id, with a word more for a repost. */
  readonly id: string;
  readonly key: bigint;
}

const has = (set: ReadonlySet<string>, a: number, b: number) => set.has(`${a}-${b}`);

/** What feeds should be, without any index or query: people are numbers, everything is looked at each time. */
export class FeedModel {
  videos: ModelVideo[] = [];
  reposts: ModelRepost[] = [];
  readonly follows = new Set<string>();
  readonly mutes = new Set<string>();
  readonly blocks = new Set<string>();
  readonly suspended = new Set<number>();
  #keys = 0n;

  clone(): FeedModel {
    const copy = new FeedModel();
    const videos = new Map(this.videos.map((video) => [video, { ...video }]));
    copy.videos = [...videos.values()];
    copy.reposts = this.reposts.map((repost) => ({ ...repost, video: videos.get(repost.video)! }));
    for (const name of ['follows', 'mutes', 'blocks'] as const)
      for (const each of this[name]) copy[name].add(each);
    for (const each of this.suspended) copy.suspended.add(each);
    return copy;
  }

  /** Publishes whatever can be; a key of its own order unless `keyOf` knows the true one. */
  settle(keyOf: (video: ModelVideo) => bigint | undefined = () => undefined): void {
    for (const video of this.videos) {
      const listed = video.visibility === 'public' || video.visibility === 'followers';
      if (video.key === undefined && video.playable && video.due && listed && !video.gone)
        video.key = keyOf(video) ?? this.#keys++;
    }
  }

  /** Whether somebody may see a video in a list. */
  isListed(video: ModelVideo, viewer: number | undefined): boolean {
    const { by } = video;
    if (video.gone || !video.playable || video.key === undefined) return false;
    const follows = viewer !== undefined && has(this.follows, viewer, by);
    if (video.visibility !== 'public' && video.visibility !== 'followers') return false;
    if (viewer === by) return true;
    if (video.visibility === 'followers' && !follows) return false;
    const blocked = viewer !== undefined && (has(this.blocks, viewer, by) || has(this.blocks, by, viewer));
    return !blocked && !this.suspended.has(by);
  }

  repost(by: number, video: ModelVideo): boolean {
    if (!this.isListed(video, by)) return false;
    if (!this.reposts.some((other) => other.by === by && other.video === video))
      this.reposts.push({ by, video, key: this.#keys++ });
    return true;
  }

  unrepost(by: number, video: ModelVideo): void {
    this.reposts = this.reposts.filter((other) => other.by !== by || other.video !== video);
  }

  block(a: number, b: number): void {
    this.blocks.add(`${a}-${b}`);
    this.follows.delete(`${a}-${b}`);
    this.follows.delete(`${b}-${a}`);
  }

  latest(viewer: number | undefined): ModelEntry[] {
    return this.#visible(viewer)
      .filter(({ visibility }) => visibility === 'public')
      .map(({ id, key }) => ({ id, key: key ?? 0n }))
      .sort(newestFirst);
  }

  following(viewer: number): ModelEntry[] {
    const visible = this.#visible(viewer);
    const isFollowed = (by: number) => has(this.follows, viewer, by) && !has(this.mutes, viewer, by);
    const originals = visible
      .filter(({ by }) => isFollowed(by))
      .map(({ id, key }) => ({ id, key: key ?? 0n }));
    const reposts = this.reposts.filter(({ video, by, key }) => {
      if (!isFollowed(by) || this.suspended.has(by) || !visible.includes(video)) return false;
      if (isFollowed(video.by) && (video.key ?? 0n) < key) return false;
      return !this.reposts.some((other) => other.video === video && other.key < key && isFollowed(other.by));
    });
    return [...originals, ...reposts.map(({ video, key }) => ({ id: `${video.id} reposted`, key }))].sort(
      newestFirst,
    );
  }

  #visible(viewer: number | undefined): ModelVideo[] {
    const isMuted = (by: number) => viewer !== undefined && has(this.mutes, viewer, by);
    return this.videos.filter((video) => this.isListed(video, viewer) && !isMuted(video.by));
  }
}

const newestFirst = (a: ModelEntry, b: ModelEntry) => (a.key < b.key ? 1 : -1);

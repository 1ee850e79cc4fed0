import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { VideoStatus } from '@hvideo/protocol';
import type { Accounts } from '../features/accounts/index.ts';
import type { Graph } from '../features/graph/index.ts';
import type { Media } from '../features/media/index.ts';
import type { Videos } from '../features/videos/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/log.ts';
import { type Clip, catalogue } from './clips/catalogue.ts';
import { followsOf } from './people/follows.ts';
import { roster } from './people/roster.ts';
import { avatarFile } from './studio/orders.ts';
import type { Studio } from './studio/studio.ts';

export interface CommunityDeps {
  readonly accounts: Accounts;
  readonly graph: Graph;
  readonly media: Media;
  readonly videos: Videos;
  readonly studio: Studio;
  readonly clock: Clock;
  readonly log: Logger;
  /** On the media store's file system. */
  readonly workDir: string;
}

export interface DemoStatus {
  readonly people: { readonly made: number; readonly wanted: number };
  /** `made`: can be watched. */
  readonly clips: { readonly made: number; readonly wanted: number };
  readonly complete: boolean;
}

const followSeed = 20_26;
const pollMs = 250;
/** A clip whose transcoding takes longer than this is not waited for: something else keeps the workers busy. */
const maxWaitMs = 120_000;
const pageSize = 100;

/** Makes the demo through the features that people use. Whatever is there already is left as it is. */
export class Community {
  readonly #deps: CommunityDeps;

  constructor(deps: CommunityDeps) {
    this.#deps = deps;
  }

  /** One at a time: who is not there any more, or is suspended, is left out. */
  async fill(wantedClips: number, signal: AbortSignal): Promise<void> {
    const folder = await this.#cleanFolder();
    try {
      const people = await this.#people();
      const [first, ...others] = catalogue.slice(0, wantedClips);
      // Before anything else takes the processor: somebody may have opened the page already.
      if (first && (await this.#publish(first, people, folder, signal, true)))
        await this.#wait(people, ['processing'], signal);
      await this.#giveAvatars(people, folder, signal);
      await this.#follow(people, signal);
      for (const clip of others) await this.#publish(clip, people, folder, signal);
      await this.#deps.accounts.registration.completeDemo();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async status(wantedClips: number): Promise<DemoStatus> {
    const people = await this.#people();
    const cards = await this.#deps.accounts.profiles.cards([...people.values()]);
    const clips = catalogue.slice(0, wantedClips).filter(({ author }) => people.has(author));
    const states = await this.#states(clips, people);
    const over = clips.filter(({ key }) => states.get(key) === 'ready' || states.get(key) === 'failed');
    const withAvatar = [...cards.values()].filter(({ avatarUrl }) => avatarUrl !== null);
    return {
      people: { made: withAvatar.length, wanted: people.size },
      clips: {
        made: clips.filter(({ key }) => states.get(key) === 'ready' || states.get(key) === 'playable').length,
        wanted: clips.length,
      },
      complete: over.length === clips.length && (await this.#deps.accounts.registration.isDemoComplete()),
    };
  }

  /** Ids by username. */
  async #people(): Promise<Map<string, string>> {
    const people = new Map<string, string>();
    for (const { username } of roster) {
      const id = await this.#deps.accounts.profiles.resolve(`@${username}`).catch(undefinedIfNotFound);
      if (id !== undefined) people.set(username, id);
    }
    return people;
  }

  /** The state of each clip that was published before, by its author and title. */
  async #states(
    clips: readonly Clip[],
    people: ReadonlyMap<string, string>,
  ): Promise<Map<string, VideoStatus>> {
    const states = new Map<string, VideoStatus>();
    for (const author of new Set(clips.map((clip) => clip.author))) {
      const id = people.get(author);
      if (id === undefined) continue;
      const { items } = await this.#deps.videos.reads.ownPage(id, { limit: pageSize });
      for (const { key, title } of clips.filter((clip) => clip.author === author)) {
        const video = items.find((item) => item.title === title);
        if (video) states.set(key, video.status);
      }
    }
    return states;
  }

  async #publish(
    clip: Clip,
    people: ReadonlyMap<string, string>,
    folder: string,
    signal: AbortSignal,
    urgent = false,
  ): Promise<boolean> {
    const { studio, videos, log, clock } = this.#deps;
    const authorId = people.get(clip.author);
    if (authorId === undefined || (await this.#states([clip], people)).has(clip.key)) return false;
    const startedMs = clock.monotonicMs();
    const output = join(folder, `${clip.key}.mp4`);
    await studio.paint({ kind: 'clip', key: clip.key, folder, output, urgent }, signal);
    const paintedMs = clock.monotonicMs();
    // The queue is left to people: at most one clip of the demo is ever waiting for a transcoder.
    await this.#wait(people, ['processing', 'playable'], signal);
    const uploadId = await this.#upload(authorId, clip, output, signal);
    const { title, description, tags } = clip;
    await videos.writes.create(authorId, {
      ...{ uploadId, title, description, tags: [...tags], visibility: 'public' },
    });
    const ms = Math.round(paintedMs - startedMs);
    log.info({ clip: clip.key, paintingMs: ms }, 'a clip of the demo was published');
    for (const name of await readdir(folder)) await rm(join(folder, name));
    return true;
  }

  /** The same bytes go on with the upload that an earlier start began. */
  async #upload(authorId: string, clip: Clip, path: string, signal: AbortSignal): Promise<string> {
    const { uploads } = this.#deps.media;
    const file = Bun.file(path);
    const hash = createHash('sha256');
    for await (const chunk of file.stream()) hash.update(chunk);
    const digest = hash.digest('hex');
    const about = { size: file.size, filename: `${clip.key}.mp4`, filetype: 'video/mp4' };
    const idempotency = { accountId: authorId, key: `demo:${digest}`, requestHash: digest };
    const { id, offset } = await uploads.create(authorId, about, idempotency);
    if (offset < file.size) {
      const stream = file.slice(offset).stream();
      await uploads.append(authorId, id, offset, {
        ...{ stream, length: file.size - offset, checksum: undefined, signal },
      });
    }
    return id;
  }

  /** Waits until no clip of the demo is in one of these states. */
  async #wait(
    people: ReadonlyMap<string, string>,
    states: readonly VideoStatus[],
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, log } = this.#deps;
    const endMs = clock.monotonicMs() + maxWaitMs;
    for (;;) {
      const found = [...(await this.#states(catalogue, people)).values()];
      if (!found.some((state) => states.includes(state))) return;
      if (clock.monotonicMs() > endMs) return log.warn('the demo does not wait for its clips any longer');
      await clock.sleep(pollMs, { signal });
    }
  }

  async #giveAvatars(
    people: ReadonlyMap<string, string>,
    folder: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { accounts, studio } = this.#deps;
    const cards = [...(await accounts.profiles.cards([...people.values()])).values()];
    const without = cards.filter(({ avatarUrl }) => avatarUrl === null);
    if (without.length === 0) return;
    await studio.paint(
      { kind: 'avatars', usernames: without.map(({ username }) => username), folder },
      signal,
    );
    for (const { id, username } of without)
      await accounts.avatars.put(id, Bun.file(join(folder, avatarFile(username))), { signal });
  }

  async #follow(people: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
    if (await this.#deps.accounts.registration.isDemoComplete()) return;
    for (const { follower, followee } of followsOf(roster, followSeed)) {
      signal.throwIfAborted();
      const from = people.get(follower);
      const to = people.get(followee);
      if (from !== undefined && to !== undefined) await this.#deps.graph.edges.follow(from, to);
    }
  }

  /** Also takes away what a killed process left. */
  async #cleanFolder(): Promise<string> {
    const all = join(this.#deps.workDir, 'demo');
    await rm(all, { recursive: true, force: true });
    await mkdir(all, { recursive: true });
    return await mkdtemp(join(all, 'fill-'));
  }
}

function undefinedIfNotFound(error: unknown): undefined {
  if (error instanceof AppError && error.code === 'not-found') return undefined;
  throw error;
}

import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/log.ts';
import { type Random, randomToken } from '../../kernel/random.ts';
import { assertAnnouncements, Followers, unlessAborted } from '../../ports/announcements/followers.ts';
import {
  type Announcement,
  type AnnouncementOptions,
  type Announcements,
  type Follower,
  MAX_ANNOUNCED,
  MIN_RECORDS,
} from '../../ports/announcements/port.ts';
import type { RedisConnection } from './connection.ts';

export interface RedisAnnouncementsOptions {
  readonly redis: RedisConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** An idle node looks as often as this, so that its first page after hours is not one of a node that has fallen behind. */
const idleLookMs = 1_000;
/** Looks under way at a time. */
const maxLooks = 8;
/** One tag: both keys are in one slot. */
const keys = ['hva:{log}:head', 'hva:{log}'];

/*
 * hva:{log}       list of records, oldest first: KIND, a space, TEXT. Its last element has the number of the head.
 * hva:{log}:head  hash: `id` of the log, and `last`, the number of its last record.
 *
 * The id begins with the run id of the server that made the log. One that was started again, took over from another or was
 * given the slot may have lost records that were acknowledged: it has another run id, and begins a log of its own. Numbers have no
 * gaps, and what is in the list are always the last ones: when a key is evicted or deleted, it shows.
 */
const common = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or 'unknown'
local head = redis.call('HMGET', KEYS[1], 'id', 'last')
local function begin()
  local t = redis.call('TIME')
  head = { run .. ':' .. t[1] .. '.' .. t[2] .. ARGV[1], '0' }
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'id', head[1], 'last', '0')
end
if not head[1] or string.sub(head[1], 1, #run) ~= run then begin() end
`;

/**
 * KEYS  1 head, 2 records
 * ARGV  1 a text that no other call has, 2 how many records are kept, 3... records
 * Returns 1
 */
const announceScript = `${common}
if #ARGV == 2 then return 1 end
redis.call('RPUSH', KEYS[2], unpack(ARGV, 3))
redis.call('HINCRBY', KEYS[1], 'last', #ARGV - 2)
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[2]), -1)
return 1
`;

/**
 * KEYS  1 head, 2 records
 * ARGV  1 a text that no other call has, 2 id of the log that the node follows, 3 the last number that it has heard, 4 records at most
 * Returns the last number and then the next records; or, where the node has to begin anew, id and last number of the log
 */
const readScript = `${common}
local last, heard = tonumber(head[2]), tonumber(ARGV[3])
if head[1] ~= ARGV[2] then return { head[1], last } end
if last == heard then return { last } end
local behind = last - heard
if behind < 0 or behind > redis.call('LLEN', KEYS[2]) then return { head[1], last } end
local reply = redis.call('LRANGE', KEYS[2], -behind, math.min(-1, tonumber(ARGV[4]) - behind - 1))
table.insert(reply, 1, last)
return reply
`;

/**
 * KEYS  1 head, 2 records
 * ARGV  1 a text that no other call has
 * Returns 1
 */
const beginScript = `${common}
begin()
return 1
`;

interface Place {
  readonly log: string;
  readonly heard: number;
}

/**
 * Announcements on Redis 6.2 or later, Valkey, single or Cluster. One look at the log for all callers of one turn of the event
 * loop; who comes while it is under way shares the next one, since it may have passed what he has to know. The next
 * one need not wait for it: what both bring is heard once.
 */
export class RedisAnnouncements implements Announcements, AsyncDisposable {
  readonly #options: RedisAnnouncementsOptions;
  readonly #followers = new Followers();
  readonly #ending = new AbortController();
  /** With the number of the call it names a log that the call may begin, as no other does. */
  readonly #name: string;
  #calls = 0;
  /** Undefined: the followers have to be reset. */
  #place: Place | undefined;
  #resetting: Promise<void> | undefined;
  readonly #underWay = new Set<Promise<void>>();
  #next: Promise<void> | undefined;
  #idling: Promise<void> | undefined;

  constructor(options: RedisAnnouncementsOptions) {
    this.#options = options;
    this.#name = randomToken(options.random, 9);
  }

  follow(kind: string, follower: Follower): void {
    this.#followers.add(kind, follower);
  }

  async announce(records: readonly Announcement[], { signal }: AnnouncementOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    assertAnnouncements(records);
    if (records.length === 0) return;
    const texts = records.map(({ kind, text }) => `${kind} ${text}`);
    await unlessAborted(this.#script(announceScript, String(MIN_RECORDS), ...texts), signal);
  }

  async beginAnew({ signal }: AnnouncementOptions = {}): Promise<void> {
    signal?.throwIfAborted();
    await unlessAborted(this.#script(beginScript), signal);
  }

  catchUp(options?: AnnouncementOptions): Promise<void> {
    const signal = options?.signal;
    if (signal?.aborted) return Promise.reject(signal.reason);
    this.#idling ??= this.#lookWhileIdle();
    this.#next ??= this.#lookSoon();
    return unlessAborted(this.#next, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort(new DOMException('The node is closed', 'AbortError'));
    await this.#idling;
  }

  async #lookSoon(): Promise<void> {
    // It leaves when all who come in this turn have come.
    await new Promise<void>((resolve) => setImmediate(resolve));
    // How the others end, their own callers hear.
    while (this.#underWay.size >= maxLooks) await Promise.race(this.#underWay).catch(() => undefined);
    this.#next = undefined;
    const look = this.#look();
    this.#underWay.add(look);
    try {
      await look;
    } finally {
      this.#underWay.delete(look);
    }
  }

  /** Up to where the log was when it began. */
  async #look(): Promise<void> {
    for (let target: Place | undefined; ; ) {
      await this.#resetting;
      const from = this.#place ?? nowhere;
      const reply = await this.#script(readScript, from.log, String(from.heard), String(MAX_ANNOUNCED));
      const [first, ...rest] = reply as (number | Buffer)[];
      // Another look has found another log meanwhile: this one asks again.
      if (this.#resetting || (this.#place ?? nowhere).log !== from.log) continue;
      if (typeof first !== 'number') return this.#reset({ log: String(first), heard: Number(rest[0]) });
      this.#hear({ log: from.log, heard: from.heard + rest.length }, rest);
      if (target?.log !== from.log) target = { log: from.log, heard: first };
      if (rest.length === 0 || from.heard + rest.length >= target.heard) return;
    }
  }

  /** Up to `place`; another look may have heard some of it. */
  #hear(place: Place, replies: readonly (number | Buffer)[]): void {
    const isNew = place.heard - (this.#place?.heard ?? 0);
    if (isNew <= 0) return;
    // Should a follower throw, what it has missed is not known: all begin anew.
    this.#place = undefined;
    this.#followers.hear(replies.slice(-isNew).map(recordOf));
    this.#place = place;
  }

  /** First the place, then the truth: what is announced from now on comes after the place. */
  #reset(place: Place): Promise<void> {
    this.#place = undefined;
    this.#resetting = this.#followers
      .reset()
      .then(() => {
        this.#place = place;
        this.#options.log.debug(place, 'followers of announcements have begun anew');
      })
      .finally(() => {
        this.#resetting = undefined;
      });
    return this.#resetting;
  }

  async #lookWhileIdle(): Promise<void> {
    const { clock, log, random } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await clock.sleep(idleLookMs * (0.75 + random.integer(512) / 1024), { signal });
        await this.catchUp({ signal });
      } catch (error) {
        if (!signal.aborted) log.debug({ err: error }, 'announcements were not reached');
      }
    }
  }

  #script(text: string, ...args: string[]): Promise<unknown> {
    this.#calls += 1;
    return this.#options.redis.script(text, [...keys], [`${this.#name}.${this.#calls}`, ...args]);
  }
}

const nowhere: Place = { log: '', heard: 0 };

function recordOf(reply: number | Buffer): Announcement {
  const record = String(reply);
  const space = record.indexOf(' ');
  return { kind: record.slice(0, space), text: record.slice(space + 1) };
}

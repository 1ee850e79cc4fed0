import type { SQL } from 'bun';
import { loadSecrets } from '../../packages/server/src/config/secrets.ts';
import { AccessTokens } from '../../packages/server/src/features/accounts/tokens.ts';
import { systemClock } from '../../packages/server/src/kernel/clock.ts';
import { smallestIdAt } from '../../packages/server/src/kernel/ids.ts';

export interface CrowdShape {
  readonly authors: number;
  readonly videosEach: number;
  readonly readers: number;
  readonly followsEach: number;
  /** Of the edges, see `follow.mode`. */
  readonly mode: 0 | 2;
}

export interface CrowdReader {
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
}

const firstId = 1_000_000;
const dayMs = 86_400_000;

/**
 * A community written straight into the tables: authors with videos over the last 100 days, readers who follow them by a
 * power law and are logged in. The server must be told nothing: nobody has read anything yet.
 */
export async function makeCrowd(sql: SQL, dataDir: string, shape: CrowdShape): Promise<CrowdReader[]> {
  const { authors, videosEach, readers, followsEach, mode } = shape;
  const firstReader = firstId + authors;
  const people = authors + readers;
  await sql`
    insert into account (id, username, display_name, created_at)
    select ${firstId}::int8 + n, 'person_' || n, 'Person ' || n, now() from generate_series(0, ${people - 1}) n`;
  await sql`
    insert into account_counts (account_id) select ${firstId}::int8 + n from generate_series(0, ${people - 1}) n`;
  const oldest = smallestIdAt(Date.now() - 100 * dayMs);
  const step = BigInt(smallestIdAt(Date.now() - 60_000)) - BigInt(oldest);
  const videos = authors * videosEach;
  await sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, cover_file, renditions,
      sprite, duration_ms, width, height)
    select ${oldest}::int8 + n * (${String(step)}::int8 / ${videos}), ${firstId}::int8 + n % ${authors},
      'An evening by the sea, part ' || n, 'Waves, wind and the last light of a long day. Filmed from the pier.',
      '{sea,waves,evening}', 'public', 'ready', ${oldest}::int8 + n * (${String(step)}::int8 / ${videos}),
      '1/cover.jpg', '[{"name":"360","width":360,"height":640,"attempt":1}]',
      '{"attempt":1,"columns":5,"rows":5,"tileWidth":90,"tileHeight":160,"intervalMs":600,"count":25}', 15000, 720, 1280
    from generate_series(0, ${videos - 1}) n`;
  await sql`
    insert into follow (id, follower_id, followee_id, created_at, mode)
    select row_number() over (), reader, followee, now(), ${mode}::int2 from (
      select distinct ${firstReader}::int8 + r as reader,
        ${firstId}::int8 + floor(${authors} * power(random(), 2))::int8 as followee
      from generate_series(0, ${readers - 1}) r, generate_series(1, ${Math.ceil(followsEach * 1.15)})) edges`;
  await sql`
    insert into session (id, account_id, device, address, created_at, last_used_at, expires_at)
    select ${firstReader}::int8 + n, ${firstReader}::int8 + n, 'bench', '127.0.0.1', now(), now(), now() + interval '1 day'
    from generate_series(0, ${readers - 1}) n`;
  // So that the edges stay as they are: everybody reads often, nobody publishes much.
  await sql`
    insert into feed_reader (account_id, reads_per_day, rated_at, last_read_at, tuned_at)
    select ${firstReader}::int8 + n, 50, now(), now(), now() from generate_series(0, ${readers - 1}) n`;
  await sql`
    insert into feed_creator (account_id, posts_per_day, rated_at, level_at)
    select ${firstId}::int8 + n, ${videosEach / 100}, now(), now() from generate_series(0, ${authors - 1}) n
    on conflict (account_id) do update set posts_per_day = excluded.posts_per_day, rated_at = now(), level_at = now()`;
  await sql`vacuum analyze`;
  const { jwt } = await loadSecrets({ keysJson: undefined, dataDir });
  const tokens = await AccessTokens.load({ clock: systemClock, ttlMs: 3_600_000, keys: jwt });
  return Promise.all(
    Array.from({ length: readers }, async (_, n) => {
      const id = String(firstReader + n);
      const token = await tokens.sign({ accountId: id, role: 'user', sessionId: id });
      return { id, headers: { authorization: `Bearer ${token}` } };
    }),
  );
}

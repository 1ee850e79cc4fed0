import type { SQL } from 'bun';
import { loadSecrets } from '../../src/config/secrets.ts';
import { AccessTokens } from '../../src/features/accounts/tokens.ts';
import { systemClock } from '../../src/kernel/clock.ts';

export interface ChatPerson {
  readonly id: string;
  readonly token: string;
}

const firstId = 5_000_000;
const firstConversation = 9_000_000;
const firstGroup = 9_500_000;

/** People who are logged in, written straight into the tables. */
export async function makeChatPeople(sql: SQL, dataDir: string, count: number): Promise<ChatPerson[]> {
  await sql`
    insert into account (id, username, display_name, created_at)
    select ${firstId}::int8 + n, 'chatter_' || n, 'Chatter ' || n, now() from generate_series(0, ${count - 1}) n`;
  await sql`insert into account_counts (account_id) select ${firstId}::int8 + n from generate_series(0, ${count - 1}) n`;
  await sql`
    insert into session (id, account_id, device, address, created_at, last_used_at, expires_at)
    select ${firstId}::int8 + n, ${firstId}::int8 + n, 'bench', '127.0.0.1', now(), now(), now() + interval '1 day'
    from generate_series(0, ${count - 1}) n`;
  const { jwt } = await loadSecrets({ keysJson: undefined, dataDir });
  const tokens = await AccessTokens.load({ clock: systemClock, ttlMs: 3_600_000, keys: jwt });
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const id = String(firstId + n);
      return { id, token: await tokens.sign({ accountId: id, role: 'user', sessionId: id }) };
    }),
  );
}

/** A direct conversation of each two neighbours: 0 with 1, 2 with 3 ... Answers their ids. */
export async function makeDirects(sql: SQL, people: readonly ChatPerson[]): Promise<string[]> {
  const pairs = people.length / 2;
  await sql`
    insert into conversation (id, type, direct_key, created_at)
    select ${firstConversation}::int8 + n, 'direct', (${firstId}::int8 + 2 * n) || ':' || (${firstId}::int8 + 2 * n + 1), now()
    from generate_series(0, ${pairs - 1}) n`;
  await sql`
    insert into conversation_head (conversation_id, message_id)
    select ${firstConversation}::int8 + n, ${firstConversation}::int8 + n from generate_series(0, ${pairs - 1}) n`;
  await sql`
    insert into conversation_member (conversation_id, account_id, role, joined_at, joined_seq)
    select ${firstConversation}::int8 + n / 2, ${firstId}::int8 + n, 'member', now(), 0
    from generate_series(0, ${people.length - 1}) n`;
  await sql`vacuum analyze`;
  return Array.from({ length: pairs }, (_, n) => String(firstConversation + n));
}

/** Groups of `size` neighbours each. Answers their ids. */
export async function makeGroups(sql: SQL, people: readonly ChatPerson[], size: number): Promise<string[]> {
  const groups = Math.floor(people.length / size);
  await sql`
    insert into conversation (id, type, title, created_at)
    select ${firstGroup}::int8 + n, 'group', 'Group ' || n, now() from generate_series(0, ${groups - 1}) n`;
  await sql`
    insert into conversation_head (conversation_id, message_id)
    select ${firstGroup}::int8 + n, ${firstGroup}::int8 + n from generate_series(0, ${groups - 1}) n`;
  await sql`
    insert into conversation_member (conversation_id, account_id, role, joined_at, joined_seq)
    select ${firstGroup}::int8 + n / ${size}::int8, ${firstId}::int8 + n,
      case when n % ${size}::int8 = 0 then 'owner' else 'member' end, now(), 0
    from generate_series(0, ${groups * size - 1}) n`;
  await sql`vacuum analyze`;
  return Array.from({ length: groups }, (_, n) => String(firstGroup + n));
}

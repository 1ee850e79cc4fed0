import type { Sql } from '../../../ports/database/port.ts';
import { type Facts, type PastVerdict, verdictKey } from '../../../ports/message-store/decide.ts';
import type { Needs } from '../../../ports/message-store/needs.ts';
import type { RefusalCode } from '../../../ports/message-store/port.ts';
import { blockedDirects, type Pairs } from './blocks.ts';
import type { RememberedConversation, RememberedConversations } from './remembered-conversations.ts';

export interface ReadFacts {
  readonly facts: Facts;
  /** The same maps, to be remembered when what is decided on them has been committed. */
  readonly conversations: ReadonlyMap<string, RememberedConversation>;
}

/**
 * Locks the conversations of a batch, in ascending order so that nobody waits in a circle, and reads what a decision needs and
 * is not remembered. Each statement of READ COMMITTED has a snapshot of its own: what is read after the lock is what the last
 * holder has left. The laterals with `offset 0` and `limit 1` are looked up one by one through an index, whatever is known of the
 * tables.
 */
export async function readFacts(
  tx: Sql,
  needs: Needs,
  remembered: RememberedConversations,
): Promise<ReadFacts> {
  const known = new Map(needs.conversationIds.map((id) => [id, remembered.take(id)]));
  // Blocks are not under the lock: one that was answered before the sends came is seen in either order.
  const [rows, blockedOfKnown] = await Promise.all([
    lock(tx, needs.conversationIds),
    readBlocked(tx, new Map([...known].map(([id, conversation]) => [id, conversation?.pair]))),
  ]);
  const locked = new Map(rows.map(({ id, seq, xmin }) => [id, { seq, xmin, known: known.get(id) }]));
  const unknown = [...locked.keys()].filter((id) => known.get(id)?.pair === undefined);
  const pairs = await readPairs(tx, unknown);
  const blocked = new Set([...blockedOfKnown, ...(await readBlocked(tx, pairs))]);
  const facts: Facts = new Map();
  const conversations = new Map<string, RememberedConversation>();
  for (const [id, { seq, xmin, known }] of locked) {
    const headSeq = Number(seq);
    const isFresh = known?.xmin === xmin && known.headSeq === headSeq;
    const members = isFresh ? known.members : new Map<string, number | null>();
    const tails = isFresh ? known.tails : new Map();
    facts.set(id, { headSeq, isBlocked: blocked.has(id), members, tails, verdicts: new Map() });
    const pair = known?.pair ?? pairs.get(id) ?? null;
    const isSteady = isFresh && !blocked.has(id);
    conversations.set(id, { xmin, headSeq, pair, members, tails, isSteady });
  }
  await Promise.all([readMembers(tx, needs, facts), readTails(tx, needs, facts)]);
  await readVerdicts(tx, needs, facts);
  return { facts, conversations };
}

const lock = (tx: Sql, conversationIds: readonly string[]) => tx<{ id: string; seq: string; xmin: string }>`
  select conversation_id as id, seq, xmin::text as xmin from conversation_head
  where conversation_id = any(${tx.array(conversationIds, 'int8')})
  order by conversation_id for update`;

/** The direct chats in which one has blocked the other. */
async function readBlocked(tx: Sql, pairs: Pairs): Promise<string[]> {
  const directs = blockedDirects(tx, pairs);
  if (!directs) return [];
  const rows = await tx<{ id: string }>`select direct.id from ${directs}`;
  return rows.map(({ id }) => id);
}

async function readPairs(tx: Sql, conversationIds: readonly string[]): Promise<Pairs> {
  if (conversationIds.length === 0) return new Map();
  const rows = await tx<{ id: string; key: string | null }>`
    select id, direct_key as key from conversation where id = any(${tx.array(conversationIds, 'int8')})`;
  return new Map(
    rows.map(({ id, key }) => {
      const [a, b] = key?.split(':') ?? [];
      return [id, a !== undefined && b !== undefined ? ([a, b] as const) : null];
    }),
  );
}

async function readMembers(tx: Sql, needs: Needs, facts: Facts): Promise<void> {
  const members = needs.members.filter(
    ({ conversationId, accountId }) => facts.get(conversationId)?.members.has(accountId) === false,
  );
  if (members.length === 0) return;
  const rows = await tx<{ id: string; account_id: string; joined_seq: string | null }>`
    select sender.conversation_id as id, sender.account_id, m.joined_seq
    from unnest(
      ${tx.array(
        members.map(({ conversationId }) => conversationId),
        'int8',
      )},
      ${tx.array(
        members.map(({ accountId }) => accountId),
        'int8',
      )}
    ) as sender (conversation_id, account_id)
    left join lateral (
      select joined_seq from conversation_member
      where conversation_id = sender.conversation_id and account_id = sender.account_id offset 0
    ) m on true`;
  for (const { id, account_id, joined_seq } of rows) {
    facts.get(id)?.members.set(account_id, joined_seq === null ? null : Number(joined_seq));
  }
}

interface TailRow {
  readonly id: string;
  readonly chain: string;
  readonly client_seq: string | null;
  readonly message_id: string | null;
  readonly refused_seq: string | null;
}

async function readTails(tx: Sql, needs: Needs, facts: Facts): Promise<void> {
  const chains = needs.chains.filter(
    ({ conversationId, chain }) => facts.get(conversationId)?.tails.has(chain) === false,
  );
  if (chains.length === 0) return;
  const rows = await tx<TailRow>`
    select name.conversation_id as id, name.chain, m.client_seq, m.id as message_id, r.client_seq as refused_seq
    from unnest(
      ${tx.array(
        chains.map(({ conversationId }) => conversationId),
        'int8',
      )},
      ${tx.array(
        chains.map(({ chain }) => chain),
        'text',
      )}
    ) as name (conversation_id, chain)
    left join lateral (
      select client_seq, id from message
      where conversation_id = name.conversation_id and chain = name.chain::uuid
      order by client_seq desc limit 1
    ) m on true
    left join lateral (
      select client_seq from message_refusal
      where conversation_id = name.conversation_id and chain = name.chain::uuid
      order by client_seq desc limit 1
    ) r on true`;
  for (const { id, chain, client_seq, message_id, refused_seq } of rows) {
    const stored = Number(client_seq ?? 0);
    const refused = Number(refused_seq ?? 0);
    const clientSeq = Math.max(stored, refused);
    const messageId = refused > stored ? null : message_id;
    facts.get(id)?.tails.set(chain, clientSeq === 0 ? null : { clientSeq, messageId });
  }
}

interface VerdictRow {
  readonly i: number;
  readonly body_hash: string;
  readonly seq: string | null;
  readonly message_id: string | null;
  readonly quote_seq: string | null;
  readonly sent_ms: string | null;
  readonly code: RefusalCode | null;
}

/** Only of repeats, and of messages that are quoted by the number in their chain. */
async function readVerdicts(tx: Sql, needs: Needs, facts: Facts): Promise<void> {
  const numbers = needs.numbers.filter(({ conversationId, chain, clientSeq }) => {
    const tail = facts.get(conversationId)?.tails.get(chain);
    return tail && clientSeq <= tail.clientSeq;
  });
  if (numbers.length === 0) return;
  const rows = await tx<VerdictRow>`
    with number as (
      select * from unnest(
        ${tx.array(
          numbers.map(({ conversationId }) => conversationId),
          'int8',
        )},
        ${tx.array(
          numbers.map(({ chain }) => chain),
          'text',
        )},
        ${tx.array(
          numbers.map(({ clientSeq }) => clientSeq),
          'int8',
        )}
      ) with ordinality as number (conversation_id, chain, client_seq, i)
    )
    select i::int4 as i, m.body_hash, m.seq, m.id as message_id, m.quote_seq,
      (extract(epoch from m.sent_at) * 1000)::int8 as sent_ms, null as code
    from number n join message m
      on m.conversation_id = n.conversation_id and m.chain = n.chain::uuid and m.client_seq = n.client_seq
    union all
    select i::int4, r.body_hash, null, null, null, null, r.code
    from number n join message_refusal r
      on r.conversation_id = n.conversation_id and r.chain = n.chain::uuid and r.client_seq = n.client_seq`;
  for (const row of rows) {
    const number = numbers[row.i - 1];
    if (!number) throw new Error('a verdict that was not asked for');
    const { conversationId, chain, clientSeq } = number;
    facts.get(conversationId)?.verdicts.set(verdictKey(chain, clientSeq), pastVerdict(row));
  }
}

function pastVerdict({ body_hash, seq, message_id, quote_seq, sent_ms, code }: VerdictRow): PastVerdict {
  if (code !== null) return { bodyHash: body_hash, code };
  return {
    bodyHash: body_hash,
    seq: Number(seq),
    id: String(message_id),
    timestampMs: Number(sent_ms),
    quoteSeq: quote_seq === null ? null : Number(quote_seq),
  };
}

import type { Sql } from '../../../ports/database/port.ts';
import {
  type ConversationFacts,
  type Facts,
  type PastVerdict,
  verdictKey,
} from '../../../ports/message-store/decide.ts';
import { type ChainNumber, type Needs, needsOf } from '../../../ports/message-store/needs.ts';
import type { RefusalCode, Send } from '../../../ports/message-store/port.ts';

/**
 * Locks the conversations of a batch, in ascending order so that nobody waits in a circle, and reads what a decision needs. Each
 * statement of READ COMMITTED has a snapshot of its own: what is read after the lock is what the last holder has left.
 */
export async function readFacts(tx: Sql, sends: readonly Send[]): Promise<Facts> {
  const needs = needsOf(sends);
  const facts = await lock(tx, needs.conversationIds);
  await readMembers(tx, needs, facts);
  if (needs.chains.length > 0) await readTails(tx, needs, facts);
  const past = needs.numbers.filter(({ conversationId, chain, clientSeq }) => {
    const tail = facts.get(conversationId)?.tails.get(chain);
    return tail !== undefined && clientSeq <= tail.clientSeq;
  });
  if (past.length > 0) await readVerdicts(tx, past, facts);
  return facts;
}

async function lock(tx: Sql, conversationIds: readonly string[]): Promise<Facts> {
  const rows = await tx<{ id: string; seq: string }>`
    select conversation_id as id, seq from conversation_head
    where conversation_id = any(${tx.array(conversationIds, 'int8')})
    order by conversation_id for update`;
  return new Map(
    rows.map(({ id, seq }): [string, ConversationFacts] => [
      id,
      { headSeq: Number(seq), members: new Map(), tails: new Map(), verdicts: new Map() },
    ]),
  );
}

async function readMembers(tx: Sql, { members }: Needs, facts: Facts): Promise<void> {
  const rows = await tx<{ id: string; account_id: string; joined_seq: string; is_blocked: boolean }>`
    select m.conversation_id as id, m.account_id, m.joined_seq,
      c.type = 'direct' and exists (
        select from conversation_member o
        join block b on (b.blocker_id, b.blocked_id) in ((o.account_id, m.account_id), (m.account_id, o.account_id))
        where o.conversation_id = m.conversation_id and o.account_id <> m.account_id
      ) as is_blocked
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
    join conversation_member m using (conversation_id, account_id)
    join conversation c on c.id = m.conversation_id`;
  for (const { id, account_id, joined_seq, is_blocked } of rows) {
    facts.get(id)?.members.set(account_id, { joinedSeq: Number(joined_seq), isBlocked: is_blocked });
  }
}

interface TailRow {
  readonly id: string;
  readonly chain: string;
  readonly client_seq: string | null;
  readonly message_id: string | null;
  readonly refused_seq: string | null;
}

async function readTails(tx: Sql, { chains }: Needs, facts: Facts): Promise<void> {
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
    ) r on true
    where m.client_seq is not null or r.client_seq is not null`;
  for (const { id, chain, client_seq, message_id, refused_seq } of rows) {
    const stored = Number(client_seq ?? 0);
    const refused = Number(refused_seq ?? 0);
    const tail =
      refused > stored
        ? { clientSeq: refused, messageId: null }
        : { clientSeq: stored, messageId: message_id };
    facts.get(id)?.tails.set(chain, tail);
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

async function readVerdicts(tx: Sql, numbers: readonly ChainNumber[], facts: Facts): Promise<void> {
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

import type { Database, Sql } from '../../../ports/database/port.ts';
import { type Decision, decide, type Facts } from '../../../ports/message-store/decide.ts';
import type { Needs } from '../../../ports/message-store/needs.ts';
import type { Send, Verdict } from '../../../ports/message-store/port.ts';
import { blockedDirects } from './blocks.ts';
import type { RememberedConversation, RememberedConversations } from './remembered-conversations.ts';
import { storing } from './writes.ts';

type Known = ReadonlyMap<string, RememberedConversation>;

/**
 * Commits a batch of which everything is remembered: one statement locks the heads, sees whether they are as remembered and
 * stores what was decided on that. Otherwise it stores nothing and the answer is undefined: the batch is to be decided on what is
 * read under the lock. Nearly all batches of a conversation that is written to by one process come here, for a quarter of the
 * round trips.
 */
export async function commitSteady(
  db: Database,
  sends: readonly Send[],
  needs: Needs,
  remembered: RememberedConversations,
): Promise<Verdict[] | undefined> {
  if (!isAllKnown(needs, remembered)) return undefined;
  // What is decided changes what is remembered: it is forgotten unless it is stored.
  const known = new Map<string, RememberedConversation>();
  for (const id of needs.conversationIds) {
    const conversation = remembered.take(id);
    if (conversation) known.set(id, conversation);
  }
  const heads = [...known].map(([id, { headSeq, xmin }]) => ({ id, headSeq, xmin }));
  const decision = decide(sends, factsOf(known));
  if (decision.refusals.length > 0 || decision.messages.length === 0) return undefined;
  const xid = await store(db.sql, heads, known, decision);
  if (xid === undefined) return undefined;
  for (const [id, conversation] of known) {
    const head = decision.heads.get(id);
    remembered.put(id, head ? { ...conversation, xmin: xid, headSeq: head.seq } : conversation);
  }
  return decision.verdicts;
}

/** Nothing of it has to be looked up, and no number of it has a verdict yet. */
function isAllKnown(needs: Needs, remembered: RememberedConversations): boolean {
  const of = (id: string) => remembered.peek(id);
  return (
    needs.conversationIds.every((id) => of(id)?.isSteady) &&
    needs.members.every(({ conversationId, accountId }) => of(conversationId)?.members.has(accountId)) &&
    needs.chains.every(({ conversationId, chain }) => of(conversationId)?.tails.has(chain)) &&
    needs.numbers.every(
      ({ conversationId, chain, clientSeq }) =>
        clientSeq > (of(conversationId)?.tails.get(chain)?.clientSeq ?? 0),
    )
  );
}

function factsOf(known: Known): Facts {
  const facts: Facts = new Map();
  for (const [id, { headSeq, members, tails }] of known)
    facts.set(id, { headSeq, isBlocked: false, members, tails, verdicts: new Map() });
  return facts;
}

/**
 * The number of the transaction; undefined: something is not as remembered, or one of two has blocked the other. The heads are
 * counted, so that all of them are locked before anything is written.
 */
async function store(
  sql: Sql,
  heads: readonly { readonly id: string; readonly headSeq: number; readonly xmin: string }[],
  known: Known,
  decision: Decision,
): Promise<string | undefined> {
  const ids = sql.array(
    heads.map(({ id }) => id),
    'int8',
  );
  // Blocks are not under the lock: one that was answered before the sends came is seen.
  const blocked = blockedDirects(sql, new Map([...known].map(([id, { pair }]) => [id, pair])));
  const rows = await sql<{ xid: string | null }>`
    with locked as materialized (
      select conversation_id, seq, xmin::text as xmin from conversation_head
      where conversation_id = any(${ids}) order by conversation_id for update
    ), fit as materialized (
      select count(*) = ${heads.length} ${blocked ? sql`and not exists (select from ${blocked})` : sql``} as is_fit
      from locked join unnest(
        ${ids},
        ${sql.array(
          heads.map(({ headSeq }) => headSeq),
          'int8',
        )},
        ${sql.array(
          heads.map(({ xmin }) => xmin),
          'text',
        )}
      ) as head (conversation_id, seq, xmin) using (conversation_id, seq, xmin)
    ), ${storing(sql, decision.messages, decision.heads, sql`(select is_fit from fit)`)}
    select case when is_fit then pg_current_xact_id()::xid::text end as xid from fit`;
  return rows[0]?.xid ?? undefined;
}

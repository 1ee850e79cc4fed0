import type { Clock } from '../../../kernel/clock.ts';
import type { Ids } from '../../../kernel/ids.ts';
import type { Database, Sql } from '../../../ports/database/port.ts';
import type { JobQueue } from '../../../ports/job-queue/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import type { AccountPart } from '../../accounts/index.ts';
import type { Told } from '../types.ts';
import { eraseKind, seqsAtOnce } from './erasure.ts';

export interface AccountPartDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly jobs: Pick<JobQueue, 'enqueue'>;
  readonly told: Pick<Told, 'committed'>;
}

const conversationsOfJob = 500;

/**
 * Who leaves the community leaves every conversation, and in groups it is said; a job deletes the bodies of their messages,
 * whose places stay. A conversation that nobody is left in goes as a whole.
 */
export function chatOfAccount(deps: AccountPartDeps): AccountPart {
  const { db, jobs, told } = deps;
  return {
    name: 'chat',
    async *exportData(accountId) {
      const conversations = await db.sql`
        select c.id, c.type, c.title, m.role, m.joined_at as "joinedAt", m.read_seq as "readSeq"
        from conversation_member m join conversation c on c.id = m.conversation_id
        where m.account_id = ${accountId} order by c.id`;
      yield { path: 'conversations.json', body: conversations };
      yield { path: 'messages.json', body: messagesOf(db.sql, accountId) };
    },
    async erase(tx, accountId, afterCommit) {
      const everIn = await conversationsEver(tx, accountId);
      const messages = await leaveAll(deps, tx, accountId);
      for (let at = 0; at < everIn.length; at += conversationsOfJob) {
        const conversationIds = everIn.slice(at, at + conversationsOfJob);
        await jobs.enqueue(tx, eraseKind, { accountId, conversationIds });
      }
      if (messages.length > 0) afterCommit(() => told.committed(messages));
    },
  };
}

async function conversationsEver(sql: Sql, accountId: string): Promise<string[]> {
  const rows = await sql<{ id: string }>`
    select conversation_id as id from conversation_member where account_id = ${accountId}
    union select conversation_id from conversation_past_member where account_id = ${accountId} order by id`;
  return rows.map(({ id }) => id);
}

/** What the account itself has said. */
async function* messagesOf(sql: Sql, accountId: string): AsyncGenerator<object> {
  for (const conversationId of await conversationsEver(sql, accountId)) {
    const [head] = await sql<{ seq: string }>`
      select seq from conversation_head where conversation_id = ${conversationId}`;
    for (let after = 0; after < Number(head?.seq ?? 0); after += seqsAtOnce) {
      const rows = await sql<{ seq: string; sentAt: Date; body: string }>`
        select seq, sent_at as "sentAt", body from message
        where conversation_id = ${conversationId} and seq > ${after} and seq <= ${after + seqsAtOnce}
          and sender_id = ${accountId} and device_id is not null order by seq`;
      for (const { seq, sentAt, body } of rows)
        yield { conversationId, seq: Number(seq), sentAt, content: JSON.parse(body) };
    }
  }
}

/** As a member change of each conversation, under the same locks. Answers what groups are told. */
async function leaveAll(deps: AccountPartDeps, tx: Sql, accountId: string): Promise<StoredMessage[]> {
  const held = await tx<{ id: string; seq: string }>`
    select conversation_id as id, seq from conversation_head where conversation_id in (
      select conversation_id from conversation_member where account_id = ${accountId})
    order by conversation_id for update`;
  if (held.length === 0) return [];
  const heads = new Map(held.map(({ id, seq }) => [id, Number(seq)]));
  // Written although it stays as it is: that their members have changed is known by it.
  await tx`update conversation_head set seq = seq where conversation_id = any(${tx.array([...heads.keys()], 'int8')})`;
  const left = await tx<{ id: string; role: string }>`
    delete from conversation_member where account_id = ${accountId} returning conversation_id as id, role`;
  await handOver(
    tx,
    left.filter(({ role }) => role === 'owner').map(({ id }) => id),
  );
  const ids = tx.array([...heads.keys()], 'int8');
  await tx`
    delete from conversation c where id = any(${ids})
      and not exists (select from conversation_member m where m.conversation_id = c.id)`;
  const groups = await tx<{ id: string }>`
    select id from conversation where id = any(${tx.array([...heads.keys()], 'int8')}) and type = 'group' order by id`;
  const body = JSON.stringify({ type: 'system', event: 'left', actorId: accountId, accountIds: [accountId] });
  const messages = groups.map(({ id }) => ({
    ...{ conversationId: id, seq: (heads.get(id) ?? 0) + 1, id: deps.ids.next(), senderId: accountId, body },
    ...{ deviceId: null, clientSeq: null, quoteSeq: null, timestampMs: deps.clock.nowMs() },
  }));
  await say(tx, messages);
  return messages;
}

async function handOver(tx: Sql, conversationIds: readonly string[]): Promise<void> {
  if (conversationIds.length === 0) return;
  await tx`
    update conversation_member m set role = 'owner' from (
      select distinct on (conversation_id) conversation_id, account_id from conversation_member
      where conversation_id = any(${tx.array(conversationIds, 'int8')})
      order by conversation_id, joined_at, account_id) as eldest
    where m.conversation_id = eldest.conversation_id and m.account_id = eldest.account_id`;
}

async function say(tx: Sql, messages: readonly StoredMessage[]): Promise<void> {
  if (messages.length === 0) return;
  const said = tx`unnest(
    ${tx.array(
      messages.map(({ conversationId }) => conversationId),
      'int8',
    )},
    ${tx.array(
      messages.map(({ seq }) => seq),
      'int8',
    )},
    ${tx.array(
      messages.map(({ id }) => id),
      'int8',
    )}) as said (conversation_id, seq, id)`;
  const [{ senderId, body, timestampMs } = messages[0]!] = messages;
  await tx`
    insert into message (conversation_id, seq, id, sender_id, body_hash, body, sent_at)
    select conversation_id, seq, id, ${senderId}::int8, 0, ${body}, ${new Date(timestampMs)}::timestamptz from ${said}`;
  await tx`
    update conversation_head h set seq = said.seq, message_id = said.id from ${said}
    where h.conversation_id = said.conversation_id`;
}

import { AppError } from '../../../kernel/errors.ts';
import type { Sql } from '../../../ports/database/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';

/** Errors: `not-found` when one of them is not there. They stay while the transaction lasts. */
export async function requireAccounts(tx: Sql, accountIds: readonly string[]): Promise<void> {
  const rows = await tx`
    select id from account where id = any(${tx.array(accountIds, 'int8')}) order by id for key share`;
  if (rows.length < accountIds.length) throw new AppError('not-found');
}

/** Errors: `blocked` when the actor and one of them have. */
export async function requireUnblocked(
  tx: Sql,
  actorId: string,
  accountIds: readonly string[],
): Promise<void> {
  const others = tx.array(accountIds, 'int8');
  const [row] = await tx<{ blocked: boolean }>`
    select exists (select from block where blocker_id = ${actorId} and blocked_id = any(${others}))
      or exists (select from block where blocked_id = ${actorId} and blocker_id = any(${tx.array(accountIds, 'int8')}))
      as blocked`;
  if (row?.blocked) throw new AppError('blocked');
}

/**
 * Errors: `too-many-conversations`. To be asked after the accounts were added and their counters of events are held: nobody else
 * adds them anywhere until the commit.
 */
export async function requireRoom(
  tx: Sql,
  accountIds: readonly string[],
  maxConversations: number,
): Promise<void> {
  const [crowded] = await tx`
    select account.id from unnest(${tx.array(accountIds, 'int8')}) as account (id)
    where (select count(*) from conversation_member where account_id = account.id) > ${maxConversations} limit 1`;
  if (crowded) throw new AppError('too-many-conversations');
}

export interface Joining {
  readonly conversationId: string;
  readonly nowMs: number;
  readonly joinedSeq: number;
  readonly ownerId?: string | undefined;
}

export async function addMembers(tx: Sql, joining: Joining, accountIds: readonly string[]): Promise<void> {
  const { conversationId, nowMs, joinedSeq, ownerId } = joining;
  await tx`
    insert into conversation_member (conversation_id, account_id, role, joined_at, joined_seq, read_seq, delivered_seq)
    select ${conversationId}::int8, account.id, case when account.id = ${ownerId ?? null}::int8 then 'owner' else 'member' end,
      ${new Date(nowMs)}::timestamptz, ${joinedSeq}::int8, ${joinedSeq}::int8, ${joinedSeq}::int8
    from unnest(${tx.array(accountIds, 'int8')}) as account (id) order by account.id`;
}

export interface Said {
  readonly conversationId: string;
  readonly seq: number;
  readonly body: string;
}

/** Stores what the server says, as the newest message of a conversation whose head is held. */
export async function say(
  tx: Sql,
  by: { readonly messageId: string; readonly actorId: string; readonly nowMs: number },
  { conversationId, seq, body }: Said,
): Promise<StoredMessage> {
  const { messageId, actorId, nowMs } = by;
  await tx`
    insert into message (conversation_id, seq, id, sender_id, body_hash, body, sent_at)
    values (${conversationId}, ${seq}, ${messageId}, ${actorId}, 0, ${body}, ${new Date(nowMs)})`;
  await tx`
    update conversation_head set seq = ${seq}, message_id = ${messageId} where conversation_id = ${conversationId}`;
  return {
    ...{ conversationId, seq, id: messageId, senderId: actorId, deviceId: null, clientSeq: null },
    ...{ quoteSeq: null, timestampMs: nowMs, body },
  };
}

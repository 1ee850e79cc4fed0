import { AppError } from '../../../kernel/errors.ts';
import type { Change, MemberChange, StoredEvent } from '../../../ports/conversation-store/port.ts';
import { MAX_MEMBERS, type MemberStep, stepOf, systemBody } from '../../../ports/conversation-store/rules.ts';
import type { Sql } from '../../../ports/database/port.ts';
import { appendEvents } from './events.ts';
import type { ConversationLimits } from './limits.ts';
import { addMembers, requireAccounts, requireRoom, requireUnblocked, say } from './member-rows.ts';

interface Held {
  readonly tx: Sql;
  readonly change: MemberChange;
  readonly headSeq: number;
  readonly title: string | null;
  readonly role: 'owner' | 'member';
  readonly limits: ConversationLimits;
}

/** What a step has done to the rows; null: it was so already. */
interface Done {
  /** What is said of it; null: nobody is left to read it. */
  readonly body: string | null;
  readonly events: readonly Omit<StoredEvent, 'pts'>[];
}

/** Deletes the messages of a conversation that is gone, which may be many: in this transaction, or in time. */
export type DeleteMessages = (tx: Sql, conversationId: string, actorId: string) => Promise<void>;

/** Everything under the lock of the conversation's head, as messages are stored. */
export async function changeMembers(
  tx: Sql,
  change: MemberChange,
  {
    limits,
    deleteMessages,
  }: { readonly limits: ConversationLimits; readonly deleteMessages: DeleteMessages },
): Promise<Change> {
  const step = stepOf(change);
  const held = await hold(tx, change, limits);
  const done = await run(held, step);
  const { conversationId } = change;
  if (!done) return { conversationId, changed: false, message: null, events: [] };
  const { body } = done;
  const message =
    body === null ? null : await say(tx, change, { conversationId, seq: held.headSeq + 1, body });
  if (!message) {
    await tx`delete from conversation where id = ${conversationId}`;
    await deleteMessages(tx, conversationId, change.actorId);
  }
  const events = await appendEvents(tx, done.events, limits.maxEvents);
  if (step.kind === 'add') {
    const added = done.events.map(({ accountId }) => accountId);
    await requireRoom(tx, added, limits.maxConversations);
  }
  return { conversationId, changed: true, message, events };
}

async function hold(tx: Sql, change: MemberChange, limits: ConversationLimits): Promise<Held> {
  const { conversationId, actorId } = change;
  const [head] = await tx<{ seq: string }>`
    select seq from conversation_head where conversation_id = ${conversationId} for update`;
  const [actor] = await tx<{ type: string; title: string | null; role: 'owner' | 'member' }>`
    select c.type, c.title, m.role from conversation c join conversation_member m on m.conversation_id = c.id
    where c.id = ${conversationId} and m.account_id = ${actorId}`;
  if (!head || !actor) throw new AppError('not-found');
  if (actor.type !== 'group') throw new AppError('forbidden');
  const { title, role } = actor;
  return { tx, change, headSeq: Number(head.seq), title, role, limits };
}

function run(held: Held, step: MemberStep): Promise<Done | null> {
  switch (step.kind) {
    case 'add':
      return add(held, step.accountIds);
    case 'remove':
      return remove(held, step.accountId);
    case 'rename':
      return rename(held, step.title);
  }
}

async function add(held: Held, accountIds: readonly string[]): Promise<Done | null> {
  const { tx, change, headSeq } = held;
  const { conversationId, actorId, nowMs } = change;
  const rows = await tx<{ account_id: string }>`
    select account_id from conversation_member where conversation_id = ${conversationId}`;
  const present = new Set(rows.map((row) => row.account_id));
  const added = accountIds.filter((id) => !present.has(id));
  if (added.length === 0) return null;
  if (present.size + added.length > MAX_MEMBERS) throw new AppError('group-full');
  await requireAccounts(tx, added);
  await requireUnblocked(tx, actorId, added);
  await addMembers(tx, { conversationId, nowMs, joinedSeq: headSeq }, added);
  return {
    body: systemBody('joined', actorId, { accountIds: added }),
    events: added.map((accountId) => ({ accountId, kind: 'joined', conversationId, seq: null })),
  };
}

async function remove(held: Held, accountId: string): Promise<Done | null> {
  const { tx, change, role } = held;
  const { conversationId, actorId } = change;
  const leaves = accountId === actorId;
  if (!leaves && role !== 'owner') throw new AppError('forbidden');
  // Whoever raises marks of several members holds their rows in order of id; so does this.
  const members = await tx<{ account_id: string }>`
    select account_id from conversation_member where conversation_id = ${conversationId} order by account_id for update`;
  if (!members.some((member) => member.account_id === accountId)) return null;
  const events = [{ accountId, kind: 'left', conversationId, seq: null }] as const;
  if (members.length === 1) return { body: null, events };
  await tx`
    delete from conversation_member where conversation_id = ${conversationId} and account_id = ${accountId}`;
  await tx`
    insert into conversation_past_member (account_id, conversation_id) values (${accountId}, ${conversationId})
    on conflict do nothing`;
  if (leaves && role === 'owner') await handOver(tx, conversationId);
  return {
    body: systemBody(leaves ? 'left' : 'removed', actorId, { accountIds: [accountId] }),
    events,
  };
}

async function handOver(tx: Sql, conversationId: string): Promise<void> {
  await tx`
    update conversation_member set role = 'owner'
    where conversation_id = ${conversationId} and account_id = (
      select account_id from conversation_member where conversation_id = ${conversationId}
      order by joined_at, account_id limit 1)`;
}

async function rename({ tx, change, title: before }: Held, title: string): Promise<Done | null> {
  const { conversationId, actorId } = change;
  if (title === before) return null;
  await tx`update conversation set title = ${title} where id = ${conversationId}`;
  return { body: systemBody('renamed', actorId, { title }), events: [] };
}

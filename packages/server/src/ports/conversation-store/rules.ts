import { compareIds } from '../../kernel/ids.ts';
import type { ConversationDraft, MemberChange } from './port.ts';

export const MAX_MEMBERS = 500;

/** A direct chat is found by this: its two accounts, the smaller id first. */
export function directKey(a: string, b: string): string {
  return compareIds(a, b) < 0 ? `${a}:${b}` : `${b}:${a}`;
}

/** What the server says in a conversation about a change of it, as the body of a message. */
export function systemBody(
  event: 'created' | 'joined' | 'left' | 'removed' | 'renamed',
  actorId: string,
  about: { readonly accountIds?: readonly string[]; readonly title?: string | null },
): string {
  const { accountIds, title } = about;
  return JSON.stringify({
    ...{ type: 'system', event, actorId },
    ...(accountIds && { accountIds }),
    ...(title != null && { title }),
  });
}

export const createdBody = ({ actorId, memberIds, title }: ConversationDraft) =>
  systemBody('created', actorId, { accountIds: memberIds, title });

/** Who takes part in the beginning, each once, in order of id. */
export function participantsOf({ actorId, memberIds, type }: ConversationDraft): string[] {
  const participants = [...new Set([actorId, ...memberIds])].sort(compareIds);
  if (type === 'direct' && participants.length !== 2) throw new RangeError('a direct chat is of two');
  return participants;
}

export type MemberStep =
  | { readonly kind: 'add'; readonly accountIds: readonly string[] }
  | { readonly kind: 'remove'; readonly accountId: string }
  | { readonly kind: 'rename'; readonly title: string };

/** A change is of one kind, since it is told by one message. */
export function stepOf({ add, remove, title }: MemberChange): MemberStep {
  const steps: MemberStep[] = [];
  if (add) steps.push({ kind: 'add', accountIds: [...new Set(add)].sort(compareIds) });
  if (remove !== undefined) steps.push({ kind: 'remove', accountId: remove });
  if (title !== undefined) steps.push({ kind: 'rename', title });
  const [step] = steps;
  if (!step || steps.length > 1) throw new RangeError('a change adds, removes or renames');
  return step;
}

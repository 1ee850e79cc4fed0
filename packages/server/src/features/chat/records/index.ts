import type { Clock } from '../../../kernel/clock.ts';
import type { Ids } from '../../../kernel/ids.ts';
import type { ConversationStore } from '../../../ports/conversation-store/port.ts';
import type { Database } from '../../../ports/database/port.ts';
import type { JobQueue } from '../../../ports/job-queue/port.ts';
import type { Told } from '../types.ts';
import { chatOfAccount } from './account-part.ts';
import { auditChat } from './audit.ts';
import { handleErasure } from './erasure.ts';

export { deletesMessages } from './erasure.ts';

export interface ChatRecordsDeps {
  readonly db: Database;
  readonly ids: Ids;
  readonly clock: Clock;
  readonly jobs: JobQueue;
  readonly conversations: ConversationStore;
  readonly told: Pick<Told, 'committed'>;
}

/** What looks over the rows of everybody, and so needs the database itself: departures, and the audit. */
export type ChatRecords = ReturnType<typeof createChatRecords>;

export function createChatRecords(deps: ChatRecordsDeps) {
  const { conversations, db, jobs } = deps;
  handleErasure(jobs, db);
  return {
    accountPart: chatOfAccount(deps),
    audit: (signal?: AbortSignal) => auditChat(db, conversations, signal),
  };
}

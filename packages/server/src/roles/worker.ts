import type { Chat, ChatRecords } from '../features/chat/index.ts';
import type { CountersService } from '../features/counters/index.ts';
import type { Engagement } from '../features/engagement/index.ts';
import type { History } from '../features/history/index.ts';
import type { Notifications } from '../features/notifications/index.ts';
import type { Publishing, Tuning } from '../features/timeline/index.ts';
import { cleanFences } from '../features/videos/index.ts';
import type { Logger } from '../kernel/log.ts';
import type { Database } from '../ports/database/port.ts';
import type { JobQueue } from '../ports/job-queue/port.ts';

export interface WorkerDeps {
  readonly log: Logger;
  readonly db: Database;
  readonly jobs: JobQueue;
  readonly chat: Pick<Chat, 'devices'>;
  readonly chatRecords: ChatRecords;
  readonly counters: CountersService;
  readonly engagement: Engagement;
  readonly history: History;
  readonly notifications: Notifications;
  readonly publishing: Publishing;
  readonly tuning: Tuning;
  /** Drops timelines that nobody has read for long, where that is this process's to do. */
  readonly sweepTimelines: ((signal: AbortSignal) => Promise<number>) | undefined;
  readonly cleanIdempotencyKeys: (signal: AbortSignal) => Promise<void>;
}

/**
 * What happens behind the answers: jobs of all features (their queue is started after all handlers are known), what is done at certain
 * hours, the fan-out of what is published, and the folding of counters.
 */
export function openWorker(deps: WorkerDeps) {
  schedule(deps);
  const { counters, publishing } = deps;
  return {
    /** `isOnly`: no other process can be working on what an earlier one left. */
    async start({ isOnly }: { readonly isOnly: boolean }): Promise<void> {
      counters.start();
      if (isOnly) await publishing.reclaimAll();
      publishing.start();
    },
  };
}

function schedule(deps: WorkerDeps): void {
  const { chat, chatRecords, counters, db, engagement, history, jobs, log, notifications } = deps;
  const { sweepTimelines, tuning } = deps;
  jobs.schedule('idempotency-clean', '7 * * * *', (signal) => deps.cleanIdempotencyKeys(signal));
  jobs.schedule('history-clean', '37 * * * *', () => history.clean());
  jobs.schedule('notifications-clean', '57 3 * * *', (signal) => notifications.clean(signal));
  jobs.schedule('engagement-audit', '27 3 * * *', async () => {
    const drifts = await engagement.audit();
    if (drifts.length > 0)
      log.error({ drifts: drifts.slice(0, 20), count: drifts.length }, 'counters differ from rows');
  });
  jobs.schedule('chat-audit', '13 4 * * *', async (signal) => {
    const drifts = await chatRecords.audit(signal);
    if (drifts.length > 0)
      log.error({ drifts: drifts.slice(0, 20), count: drifts.length }, 'chat differs from its messages');
  });
  jobs.schedule('chat-devices-expire', '23 * * * *', async (signal) => {
    await chat.devices.expire(signal);
  });
  jobs.schedule('fences-clean', '47 3 * * *', () => cleanFences(db));
  jobs.schedule('timeline-tune', '* * * * *', (signal) => tuning.turn(signal));
  if (sweepTimelines)
    jobs.schedule('timelines-sweep', '7 4 * * *', async (signal) => {
      await sweepTimelines(signal);
    });
  jobs.schedule('counters-clean', '17 3 * * *', () => counters.clean());
}

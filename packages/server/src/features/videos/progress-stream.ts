import type { TranscodeProgress } from '@hvideo/protocol';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Database } from '../../ports/database/port.ts';
import { failureOf } from './present.ts';
import { isOver, type ProgressHub } from './progress.ts';
import { findVideo, type VideoRow } from './store.ts';

export interface ProgressStreamDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly progress: ProgressHub;
  /** Aborted when the server drains: clients connect again, to another node or later. */
  readonly closing: AbortSignal;
}

const heartbeatMs = 15_000;

/** Server-sent events of one video's transcoding, for its owner, until it is over. */
export async function progressStream(
  deps: ProgressStreamDeps,
  ownerId: string,
  videoId: string,
  clientSignal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { clock, progress } = deps;
  const first = await findOwn(deps, ownerId, videoId);
  if (!first) throw new AppError('not-found');
  const signal = AbortSignal.any([clientSignal, deps.closing]);
  const resources = new DisposableStack();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const end = () => {
        if (resources.disposed) return;
        resources.dispose();
        controller.close();
      };
      const send = (state: TranscodeProgress) => {
        if (resources.disposed) return;
        // A client that does not read gets only what it can hold: the next state tells more than the lost one.
        if ((controller.desiredSize ?? 0) > -16 || isOver(state))
          controller.enqueue(encoder.encode(`event: progress\ndata: ${JSON.stringify(state)}\n\n`));
        if (isOver(state)) end();
      };
      const heartbeat = async () => {
        const row = await findOwn(deps, ownerId, videoId);
        if (!row) return end();
        if (resources.disposed) return;
        controller.enqueue(encoder.encode(': still here\n\n'));
        // What another process has told of its work may not have come here.
        if (isOver(stateOf(row)) || !progress.latest(videoId)) send(stateOf(row));
      };
      const subscription = progress.subscribe(videoId, send);
      if (!subscription) throw new AppError('rate-limited', { detail: 'Too many listen to this already.' });
      resources.use(subscription);
      resources.use(
        clock.every(heartbeatMs, () =>
          heartbeat().catch((error: unknown) => {
            // The client connects again and asks another time.
            if (resources.disposed) return;
            resources.dispose();
            controller.error(error);
          }),
        ),
      );
      signal.addEventListener('abort', end, { once: true });
      resources.defer(() => signal.removeEventListener('abort', end));
      const now = stateOf(first);
      send(isOver(now) ? now : (progress.latest(videoId) ?? now));
      if (signal.aborted) end();
    },
    cancel: () => resources.dispose(),
  });
}

async function findOwn(
  { db }: ProgressStreamDeps,
  ownerId: string,
  videoId: string,
): Promise<VideoRow | undefined> {
  const row = await findVideo(db.sql, videoId);
  return row?.authorId === ownerId && row.takedownReason === null ? row : undefined;
}

/** What the row alone tells. */
function stateOf(row: VideoRow): TranscodeProgress {
  const renditions = row.renditions.map(({ name }) => name);
  const common = { status: row.status, renditions, etaMs: null, failure: failureOf(row.failureCode) };
  if (row.status === 'ready') return { ...common, stage: 'done', percent: 100, etaMs: 0 };
  if (row.status === 'failed') return { ...common, stage: 'failed', percent: 100 };
  if (row.attempt === 0) return { ...common, stage: 'queued', percent: 0 };
  return { ...common, stage: row.coverFile === null ? 'covers' : 'renditions', percent: 0 };
}

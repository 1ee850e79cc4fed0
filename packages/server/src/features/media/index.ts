/**
 * Files on their way in (resumable uploads) and the signed links by which they go out.
 *
 *     const media = createMedia({ db, store, transcoder, jobs, ids, clock, linkKeys, settings: { maxBytes, ... } });
 *     media.uploads      // the tus routes
 *     media.links        // media URLs
 *     await media.close() // when draining: ends writers, what has arrived stays
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Ids } from '../../kernel/ids.ts';
import type { MacKey } from '../../kernel/mac.ts';
import type { Database } from '../../ports/database/port.ts';
import type { JobQueue } from '../../ports/job-queue/port.ts';
import type { MediaStore } from '../../ports/media-store/port.ts';
import type { Transcoder } from '../../ports/transcoder/port.ts';
import { uploadsOfAccount } from './account-part.ts';
import { createMediaLinks } from './links.ts';
import { createPurge } from './purge.ts';
import { type UploadSettings, Uploads, uploadDefaults } from './uploads.ts';

export { type Audience, type MediaLinks, publicAudience } from './links.ts';
export type { Purge } from './purge.ts';
export {
  isMediaFault,
  type TakenUpload,
  type UploadBody,
  type UploadSettings,
  type UploadState,
  Uploads,
  uploadDefaults,
  uploadKey,
} from './uploads.ts';

export interface MediaDeps {
  readonly db: Database;
  readonly store: MediaStore;
  readonly transcoder: Transcoder;
  readonly jobs: JobQueue;
  readonly ids: Ids;
  readonly clock: Clock;
  /** Newest first. */
  readonly linkKeys: readonly MacKey[];
  /** What differs from `uploadDefaults`. */
  readonly settings?: Partial<UploadSettings>;
}

export type Media = ReturnType<typeof createMedia>;

export function createMedia(deps: MediaDeps) {
  const { db, store, transcoder, jobs, ids, clock, linkKeys } = deps;
  const settings = { ...uploadDefaults, ...deps.settings };
  const purge = createPurge(jobs, store, clock);
  const uploads = new Uploads({ db, store, transcoder, ids, clock, purge, settings });
  jobs.schedule('uploads-expire', '*/10 * * * *', (signal) => uploads.expire(signal));
  return {
    uploads,
    purge,
    links: createMediaLinks(linkKeys, clock),
    accountPart: uploadsOfAccount(db, store, purge),
    close: () => uploads.close(),
  };
}

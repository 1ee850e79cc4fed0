/**
 * The demo: a small community that is made on this machine, without a network.
 *
 *     const demo = createDemo({ db, jobs, accounts, graph, media, videos, studio, ... });
 *     if (await demo.begin()) await demo.enqueue(clips)   // a job does the rest, and goes on after a crash
 */
import type { Database } from '../ports/database/port.ts';
import type { JobKind, JobQueue } from '../ports/job-queue/port.ts';
import { catalogue } from './clips/catalogue.ts';
import { Community, type CommunityDeps } from './community.ts';
import { roster } from './people/roster.ts';
import { type WelcomeDeps, welcomeToDemo } from './welcome.ts';

export type { DemoStatus } from './community.ts';
export { openStudio } from './studio/studio.ts';

export const DEMO_CLIPS = catalogue.length;

const fillKind: JobKind<{ readonly clips: number }> = {
  name: 'demo-fill',
  retryLimit: 5,
  leaseSeconds: 30,
  concurrency: 1,
};

export interface DemoDeps extends CommunityDeps, Pick<WelcomeDeps, 'chat'> {
  readonly db: Database;
  readonly jobs: JobQueue;
}

export type Demo = ReturnType<typeof createDemo>;

export function createDemo(deps: DemoDeps) {
  const { accounts, db, jobs } = deps;
  const community = new Community(deps);
  jobs.handle(fillKind, ({ payload, signal }) => community.fill(payload.clips, signal));
  return {
    /** To be followed: whoever joins is welcomed. */
    consumer: welcomeToDemo(deps),
    /** Gives an empty instance its people, all at once. False where a real community lives: nothing is done there. */
    begin: () => accounts.registration.beginDemo(roster),
    isComplete: () => accounts.registration.isDemoComplete(),
    /** Has the first `clips` of the catalogue made, and whatever else is missing. */
    enqueue: (clips: number) =>
      db.transaction((tx) => jobs.enqueue(tx, fillKind, { clips }, { key: 'demo-fill' })),
    status: (clips: number) => community.status(clips),
  };
}

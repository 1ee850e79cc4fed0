import { openDatabase } from '../../src/adapters/postgres/database.ts';
import { testLog } from './database.ts';
import { openParts } from './video-stack.ts';

/** A process that transcodes until the second rendition and then hangs, to be killed. Arguments: database URL, folder. */
const [url = '', folder = ''] = process.argv.slice(2);
const parts = await openParts(openDatabase({ url, maxConnections: 4, log: testLog }), folder, {
  work: false,
});
parts.fake.before = async (step) => {
  if (step !== '480p') return;
  process.stdout.write('hanging\n');
  await new Promise(() => {});
};
await parts.jobs.start();

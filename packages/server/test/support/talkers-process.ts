/**
 * A process to be killed: commits what its talkers say, and tells each receipt on standard output.
 * `bun talkers-process.ts DATABASE_URL NODE TALKERS`; ends by itself when its standard input does.
 */
import { PostgresMessageStore } from '../../src/adapters/postgres/chat/message-store.ts';
import { openDatabase } from '../../src/adapters/postgres/database.ts';
import { testLog } from './database.ts';
import { openCommitter, type Talker, talk } from './talkers.ts';

const [url = '', node = '', talkers = ''] = process.argv.slice(2);
const database = openDatabase({ url, maxConnections: 4, log: testLog });
const committer = openCommitter(new PostgresMessageStore(database), Number(node));
const stop = new AbortController();
const talking = (JSON.parse(talkers) as Talker[]).map((talker) =>
  talk(
    committer,
    talker,
    ({ clientSeq, seq }) =>
      process.stdout.write(`${talker.conversationId} ${talker.senderId} ${clientSeq} ${seq}\n`),
    stop.signal,
  ),
);
process.stdin.on('end', () => stop.abort()).resume();
await Promise.all(talking);
await committer.drain();
await database.close();
process.exit(0);

/**
 * A process to be killed: owns a data folder, runs PostgreSQL in it and inserts numbers, telling each one on
 * standard output once it is acknowledged. `bun embedded-process.ts DATA_DIR`
 */
import { SQL } from 'bun';
import pino from 'pino';
import { acquireDataLock } from '../../src/adapters/postgres/data-lock.ts';
import { startEmbeddedPostgres } from '../../src/adapters/postgres/embedded-server.ts';

const [dataDir = ''] = process.argv.slice(2);
const lock = await acquireDataLock(dataDir);
const server = await startEmbeddedPostgres({ lock, log: pino({ level: 'silent' }) });
const sql = new SQL(server.url, { max: 1 });
await sql`create table if not exists acknowledged (n int4)`;
for (let n = 1; ; n++) {
  await sql`insert into acknowledged values (${n})`;
  process.stdout.write(`${n}\n`);
}

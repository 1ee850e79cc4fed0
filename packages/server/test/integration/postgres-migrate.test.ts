import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, schemaVersion } from '../../src/adapters/postgres/migrate.ts';
import { StartError } from '../../src/adapters/postgres/start-error.ts';
import { testLog as log, type TestDatabase, testDatabase } from '../support/database.ts';

let t: TestDatabase;
let folder: string;
beforeEach(async () => {
  t = await testDatabase({ migrated: false });
  folder = await mkdtemp(join(tmpdir(), 'hvideo-migrations-'));
  await write('0001_first.sql', 'create table one (n int4); insert into one values (1);');
});
afterEach(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const write = (name: string, text: string) => writeFile(join(folder, name), text);
const run = (upTo?: number) =>
  migrate({ database: t.database, log, folder, ...(upTo === undefined ? {} : { upTo }) });
const refusal = async () => {
  const error = await run().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartError);
  return String(error);
};

test('runs each migration once, in order, up to where it is told', async () => {
  await write('0002_second.sql', 'insert into one select n + 1 from one;');
  await write('0010_third.sql', 'insert into one values (100);');
  expect(await schemaVersion(t.database)).toBe(0);
  expect(await run(2)).toBe(2);
  expect(await run()).toBe(10);
  expect(await run()).toBe(10);
  expect(await schemaVersion(t.database)).toBe(10);
  expect((await t.database.sql`select n from one order by n`).map(({ n }) => n)).toEqual([1, 2, 100]);
});

test('many instances at once run it once', async () => {
  const versions = await Promise.all([run(), run(), run(), run()]);
  expect(versions).toEqual([1, 1, 1, 1]);
  expect(await t.database.sql`select n from one`).toEqual([{ n: 1 }]);
});

test('one that fails leaves nothing of itself', async () => {
  await write('0002_broken.sql', 'insert into one values (2); select no_such_column from one;');
  expect(await run().catch((error: unknown) => String(error))).toContain('no_such_column');
  expect(await schemaVersion(t.database)).toBe(1);
  expect(await t.database.sql`select n from one`).toEqual([{ n: 1 }]);
});

test('line ends do not count, any other change does', async () => {
  await write('0001_first.sql', 'create table one (n int4);\ninsert into one values (1);');
  await run();
  await write('0001_first.sql', 'create table one (n int4);\r\ninsert into one values (1);');
  await run();
  await write('0001_first.sql', 'create table one (n int8);\ninsert into one values (1);');
  expect(await refusal()).toContain('was changed after it had been applied');
});

test('data newer than the program is refused', async () => {
  await write('0002_second.sql', 'select 1;');
  await run();
  await rm(join(folder, '0002_second.sql'));
  expect(await refusal()).toContain('newer than this program');
});

test('one that comes too late is refused, so that every database has the same history', async () => {
  await write('0003_third.sql', 'select 1;');
  await run();
  await write('0002_second.sql', 'select 1;');
  expect(await refusal()).toContain('comes before 3');
});

test('two with one number are refused', async () => {
  await write('0001_twin.sql', 'select 1;');
  expect(await run().catch((error: unknown) => String(error))).toContain('have the number 1');
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { turnToPull } from '../../src/features/timeline/publishing/giving-up.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { eventually } from '../support/eventually.ts';
import { type FanOutWorld, openFanOutWorld, type Process } from '../support/fan-out-world.ts';

let w: FanOutWorld;
let author: string;
const calm = () => {};

beforeAll(async () => {
  w = await openFanOutWorld();
}, 60_000);
afterAll(() => w[Symbol.asyncDispose]());
beforeEach(async () => {
  await w.db.sql`delete from fanout`;
  await w.db.sql`delete from timeline_removal`;
  author = await w.person();
  await w.begin('outbox', author);
  w.announced.length = 0;
  w.posted.length = 0;
});

async function readers(count: number, mode: 0 | 1 | 2, hoursAgo?: number): Promise<string[]> {
  const made: string[] = [];
  for (let i = 0; i < count; i++) {
    const id = await w.person();
    await w.follow(id, author, mode);
    await w.begin('inbox', id);
    if (hoursAgo !== undefined) await w.readAt(id, hoursAgo);
    made.push(id);
  }
  return made;
}

const who = async (ids: readonly string[], key: string) => {
  const found: string[] = [];
  for (const id of ids) if ((await w.held('inbox', id)).includes(key)) found.push(id);
  return found;
};
const facts = () => w.announced.map(({ kind, text }) => `${kind} ${text.split(':')[0]}`);

async function untilSettled({ fanOut }: Process): Promise<void> {
  for (let turns = 0; (await w.inFlight()).length > 0; turns++) {
    if (turns > 200) throw new Error('it does not end');
    for (const stage of ['fresh', 'large', 'rest', 'done'] as const) await fanOut.turn(stage);
  }
}

describe('an entry arrives', () => {
  test('in the outbox and with those who are pushed to, many entries at once', async () => {
    const [pulled, both, pushed] = [await readers(2, 0), await readers(2, 1), await readers(3, 2)];
    const cold = await w.person();
    await w.follow(cold, author, 2);
    const entries = [await w.publish(author), await w.publish(author)];
    const { fanOut } = w.process(calm);
    expect(await fanOut.turn('fresh')).toBe(false);
    for (const { key } of entries) {
      expect(await who([...both, ...pushed, ...pulled], key)).toEqual([...both, ...pushed]);
      expect(await w.held('outbox', author)).toContain(key);
    }
    expect(await w.held('inbox', cold)).toEqual([]);
    expect(await w.inFlight()).toHaveLength(2);
    await fanOut.turn('done');
    expect(await w.inFlight()).toEqual([]);
    const [one, two] = entries.map(({ key }) => key);
    expect(facts().sort()).toEqual([`entry ${one}`, `entry ${two}`, `settled ${one}`, `settled ${two}`]);
  });

  test('and stays in flight for its time of grace', async () => {
    await w.publish(author);
    const { fanOut } = w.process(calm, { graceMs: 60_000 });
    await fanOut.turn('fresh');
    await fanOut.turn('done');
    expect(await w.inFlight()).toHaveLength(1);
    await w.pass();
    await fanOut.turn('done');
    expect(await w.inFlight()).toEqual([]);
  });

  test('of a large one with the active readers first, and with nobody twice for nothing', async () => {
    const idle = await readers(9, 2, 100);
    const active = await readers(8, 2, 3);
    const never = await readers(4, 1);
    const { key } = await w.publish(author);
    const process = w.process(calm, { small: 3, chunk: 4, stride: 2, largeAtOnce: 2 });
    const { fanOut } = process;
    let lags = 0;
    fanOut.onLag = () => lags++;
    await fanOut.turn('fresh');
    expect(lags).toBe(0);
    while (await fanOut.turn('large'));
    expect(lags).toBe(1);
    expect(await who(active, key)).toEqual(active);
    // Those with whom it began, in the order of their ids.
    expect(await who(idle, key)).toEqual(idle.slice(0, 3));
    while (await fanOut.turn('rest'));
    expect(await who([...idle, ...active, ...never], key)).toEqual([...idle, ...active, ...never]);
    // The outbox, the first three again, and everybody else once.
    expect(fanOut.counts.pushes).toBe(1 + 3 + 9 + 8 + 4);
    await untilSettled(process);
  });

  test('also with a reader who comes back between the two walks', async () => {
    const idle = await readers(8, 2, 100);
    const { key } = await w.publish(author);
    const process = w.process(calm, { small: 2, chunk: 3, stride: 1 });
    await process.fanOut.turn('fresh');
    while (await process.fanOut.turn('large'));
    for (const id of idle) await w.readAt(id, 0);
    await untilSettled(process);
    expect(await who(idle, key)).toEqual(idle);
  });
});

describe('the author', () => {
  test('is told to have posted once for each entry, also when a settling is repeated', async () => {
    await readers(1, 2);
    const [one, other] = [author, await w.person()];
    for (const by of [one, other, one]) await w.publish(by);
    let announces = 0;
    const dying = w.process((step) => {
      // Once all are told to be settled, and before they are forgotten.
      if (step === 'announce' && ++announces === 4) throw new AppError('timeout');
    });
    await dying.fanOut.turn('fresh');
    await dying.fanOut.turn('done');
    expect(dying.fanOut.counts.failures).toBe(3);
    expect(w.posted).toEqual([]);
    await untilSettled(w.process(calm));
    expect(w.posted.sort()).toEqual([one, one, other].sort());
  });
});

describe('trouble', () => {
  test('is tried again, and what was announced by this process is not announced twice', async () => {
    const [reader = ''] = await readers(1, 2);
    let failures = 2;
    const process = w.process((step) => {
      if (step === 'push' && failures-- > 0) throw new AppError('timeout');
    });
    const entry = await w.publish(author);
    await process.outboxes.announce([entry]);
    await untilSettled(process);
    expect(await w.held('inbox', reader)).toEqual([entry.key]);
    expect(process.fanOut.counts.failures).toBe(2);
    expect(facts().at(-1)).toBe(`settled ${entry.key}`);
  });

  test('without end turns the edges that cannot be pushed to pull, and settles', async () => {
    const good = await readers(210, 2);
    const [lost = ''] = await readers(1, 2);
    const { key } = await w.publish(author);
    w.cut.add(lost);
    await untilSettled(w.process(calm, { maxAttempts: 3, small: 50, chunk: 60, keepMs: 0 }));
    const rows = await w.db.sql<{ id: string; mode: number }>`
      select follower_id as id, mode from follow where followee_id = ${author}`;
    const mode = new Map(rows.map((row) => [row.id, row.mode]));
    expect(mode.get(lost)).toBe(0);
    // Three stretches of 60 had them; what was left went with the lost shelf.
    expect(good.filter((id) => mode.get(id) === 2).length).toBe(180);
    const still = good.filter((id) => mode.get(id) === 2);
    expect(await who(still, key)).toEqual(still);
    const epochs = w.announced.filter(({ kind, text }) => kind === 'graph' && text.startsWith(`${lost}:`));
    expect(epochs.map(({ text }) => text.split(':')[1])).toEqual(['1', '2']);
    expect(facts().at(-1)).toBe(`settled ${key}`);
  });

  test('leaves no edge pushed that somebody else turned back in between', async () => {
    const [reader = ''] = await readers(1, 2);
    let turnedBack = false;
    await turnToPull(
      {
        db: w.db,
        announcements: {
          async announce() {
            if (turnedBack) return;
            turnedBack = true;
            await w.db.sql`update follow set mode = 2 where follower_id = ${reader}`;
          },
        },
      },
      author,
      [reader],
    );
    expect(turnedBack).toBe(true);
    const [edge] = await w.db.sql<{ mode: number }>`select mode from follow where follower_id = ${reader}`;
    expect(edge?.mode).toBe(0);
  });

  test('with everything turns nothing: the entry stays in flight until the store is back', async () => {
    const [reader = ''] = await readers(1, 2);
    const { key } = await w.publish(author);
    let away = true;
    const process = w.process(
      (step) => {
        if (step === 'push' && away) throw new AppError('timeout');
      },
      { maxAttempts: 2 },
    );
    const drop = w.store.drop.bind(w.store);
    w.store.drop = async () => {
      throw new AppError('timeout');
    };
    for (let turn = 0; turn < 10; turn++) {
      await process.fanOut.turn('fresh');
      await process.fanOut.turn('rest');
    }
    w.store.drop = drop;
    expect(await w.inFlight()).toEqual([key]);
    away = false;
    await untilSettled(process);
    expect(await w.held('inbox', reader)).toEqual([key]);
    const [edge] = await w.db.sql<{ mode: number }>`select mode from follow where follower_id = ${reader}`;
    expect(edge?.mode).toBe(2);
  });

  test('of a worker that is gone: another goes on when its lease has ended, and at once when it has stopped', async () => {
    const all = await readers(12, 2, 1);
    const { key } = await w.publish(author);
    const settings = { small: 2, chunk: 3, stride: 1, leaseMs: 60_000 };
    const first = w.process(calm, settings);
    await first.fanOut.turn('fresh');
    await w.db.sql`update fanout set worker = 5, due_at = now() + interval '1 minute'`;
    const second = w.process(calm, settings);
    expect(await second.fanOut.turn('large')).toBe(false);
    await w.pass();
    expect(await second.fanOut.turn('large')).toBe(true);
    await second.fanOut.stop();
    const third = w.process(calm, settings);
    await untilSettled(third);
    expect(await who(all, key)).toEqual(all);
    await w.db.sql`delete from fanout`;
  });
});

describe('the lanes', () => {
  test('a large one holds up nobody; work is found without being woken; a stop loses nothing', async () => {
    await readers(60, 2, 1);
    const large = author;
    const quick = await w.person();
    await w.begin('outbox', quick);
    let slow = 0;
    const push = w.store.push.bind(w.store);
    w.store.push = async (pushes) => {
      if (pushes.some(({ entry }) => entry.authorId === large)) {
        slow += 1;
        await Bun.sleep(20);
      }
      await push(pushes);
    };
    const { fanOut, outboxes } = w.process(calm, { small: 1, chunk: 1, stride: 4 });
    const huge = await w.publish(large);
    fanOut.start();
    await eventually(async () => slow > 6);
    const small = await w.publish(quick);
    await outboxes.announce([small]);
    await eventually(async () => (await w.held('outbox', quick)).includes(small.key));
    expect(slow).toBeLessThan(60);
    await eventually(async () => !(await w.inFlight()).includes(small.key));
    await fanOut.stop();
    w.store.push = push;
    expect(await w.inFlight()).toEqual([huge.key]);
    const second = w.process(calm);
    second.fanOut.start();
    // Nobody told it.
    await eventually(async () => (await w.inFlight()).length === 0);
    await second.fanOut.stop();
    expect(await w.held('outbox', large)).toEqual([huge.key]);
  });

  test('a repost that is taken back, and a video that is deleted, end in the middle', async () => {
    const all = await readers(12, 2, 1);
    const { key } = await w.publish(author);
    const settings = { small: 2, chunk: 3, stride: 1 };
    const process = w.process(calm, settings);
    await process.fanOut.turn('fresh');
    await w.db.transaction(async (tx) => {
      await process.outboxes.withdraw(tx, [key]);
      await tx`delete from video where id = ${key}`;
    });
    expect(await w.inFlight()).toEqual([]);
    expect(await process.removals.turn()).toBe(false);
    await w.pass();
    while (await process.removals.turn());
    expect(await who(all, key)).toEqual([]);
    expect(await w.held('outbox', author)).toEqual([]);
    expect(facts().at(-1)).toBe(`settled ${key}`);
  });
});

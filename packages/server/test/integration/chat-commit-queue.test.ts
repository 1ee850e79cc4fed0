import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { CommitQueue } from '../../src/features/chat/commit/commit-queue.ts';
import type { PreparedSend } from '../../src/features/chat/commit/prepare.ts';
import { type CommitterOptions, defaultOptions } from '../../src/features/chat/commit/types.ts';
import { systemClock } from '../../src/kernel/clock.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import type { Send, Verdict } from '../../src/ports/message-store/port.ts';
import { testLog } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

interface Batch {
  readonly sends: readonly Send[];
  readonly answer: () => void;
  readonly fail: (error: Error) => void;
}

/** Batches that are answered when the test says so, and times that run out when it says so. */
class World {
  readonly underWay: Batch[] = [];
  /** What was answered, of each conversation in order. */
  readonly stored: Send[] = [];
  readonly queue: CommitQueue;
  #timers = new Set<() => void>();
  #lastId = 0;

  constructor(options: Partial<CommitterOptions> = {}) {
    const clock = {
      ...systemClock,
      after: (_ms: number, run: () => void) => {
        this.#timers.add(run);
        return { [Symbol.dispose]: () => void this.#timers.delete(run) };
      },
    };
    const messages = { commit: (sends: readonly Send[]) => this.#commit(sends), read: never, heads: never };
    const ids = { next: () => String(++this.#lastId) };
    const deps = { clock, ids, random: systemRandom, log: testLog, messages };
    const unheard = { onCommitted: () => {}, onUnknown: () => {} };
    this.queue = new CommitQueue({ ...deps, ...unheard }, { ...defaultOptions, ...options });
  }

  send(conversationId: string, body: string, turn?: PreparedSend['turn']): void {
    const send: PreparedSend = {
      ...{ conversationId, senderId: '1', deviceId: '1', bodyHash: '1', body },
      ...{ turn, unfit: undefined, quote: undefined },
    };
    this.queue.add(send, { stored: () => {}, refused: () => {} });
  }

  /** Every batch under way is late from now on. */
  late(): void {
    const timers = [...this.#timers];
    this.#timers.clear();
    for (const run of timers) run();
  }

  get conversations(): string[][] {
    return this.underWay.map(({ sends }) => sends.map(({ conversationId }) => conversationId));
  }

  #commit(sends: readonly Send[]): Promise<Verdict[]> {
    const { promise, reject, resolve } = Promise.withResolvers<Verdict[]>();
    const over = () => this.underWay.splice(this.underWay.indexOf(batch), 1);
    const batch: Batch = {
      sends,
      fail: (error) => {
        over();
        reject(error);
      },
      answer: () => {
        over();
        this.stored.push(...sends);
        resolve(sends.map(({ id }) => ({ kind: 'stored', seq: 1, id, timestampMs: 0, ...notAgain })));
      },
    };
    this.underWay.push(batch);
    return promise;
  }
}

const notAgain = { quoteSeq: null, isDuplicate: false };
const never = async () => {
  throw new Error('not asked here');
};

const settled = async () => {
  for (let i = 0; i < 20; i++) await undefined;
};

test('a batch that is late lets other conversations past, and keeps its own in order', async () => {
  const world = new World();
  world.send('1', 'a');
  await settled();
  world.send('1', 'b');
  world.send('2', 'c');
  await settled();
  expect(world.conversations).toEqual([['1']]);
  world.late();
  await settled();
  expect(world.conversations).toEqual([['1'], ['2']]);
  // Nobody is late but the first: what comes now gathers.
  world.send('3', 'd');
  world.send('3', 'e');
  await settled();
  expect(world.conversations).toEqual([['1'], ['2']]);
  world.underWay[1]?.answer();
  await settled();
  expect(world.conversations).toEqual([['1'], ['3', '3']]);
  world.underWay[0]?.answer();
  await settled();
  world.underWay[0]?.answer();
  await settled();
  expect(world.conversations).toEqual([['1']]);
  world.underWay[0]?.answer();
  await world.queue.drain();
  expect(world.stored.map(({ body }) => body)).toEqual(['c', 'a', 'd', 'e', 'b']);
});

test('what failed together because one conversation is held is given again in parts, so that the others get through', async () => {
  const world = new World();
  const all = Array.from({ length: 80 }, (_, n) => String(n));
  for (const id of all) world.send(id, id, { chain: id, clientSeq: 1 });
  await settled();
  world.late();
  world.send('3', 'behind', { chain: '3', clientSeq: 2 });
  await settled();
  world.underWay[0]?.fail(new AppError('timeout'));
  const isHeld = ({ sends }: Batch) => sends.some(({ conversationId }) => conversationId === '3');
  await eventually(async () => {
    for (const batch of [...world.underWay]) if (!isHeld(batch)) batch.answer();
    world.late();
    return world.stored.length >= 70;
  });
  const [held] = world.underWay;
  expect(held?.sends.length).toBe(10);
  held?.answer();
  await settled();
  world.underWay[0]?.answer();
  await world.queue.drain();
  expect(world.stored.map(({ body }) => body).filter((body) => body === '3' || body === 'behind')).toEqual([
    '3',
    'behind',
  ]);
  expect(world.stored.length).toBe(81);
});

test('no more batches are under way than may be, however late they are', async () => {
  const world = new World({ maxUnderWay: 2 });
  for (const conversation of ['1', '2', '3']) {
    world.send(conversation, 'x');
    await settled();
    world.late();
    await settled();
  }
  expect(world.conversations).toEqual([['1'], ['2']]);
  expect(world.queue.waiting).toBe(1);
});

test('whatever is late, and whichever is answered first: each once, each conversation in order, never in two batches', async () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('send' as const), of: fc.integer({ max: 4, min: 0 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const), of: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('late' as const), of: fc.constant(0) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
      const world = new World({ maxUnderWay: 3 });
      const sent: { conversationId: string; body: string }[] = [];
      for (const { do: what, of } of steps) {
        if (what === 'send') {
          sent.push({ conversationId: String(of), body: String(sent.length) });
          world.send(String(of), String(sent.length - 1));
        } else if (what === 'late') world.late();
        else world.underWay[of % Math.max(1, world.underWay.length)]?.answer();
        await settled();
        const conversations = world.conversations.flatMap((each) => [...new Set(each)]);
        expect(new Set(conversations).size).toBe(conversations.length);
        expect(world.underWay.length).toBeLessThanOrEqual(3);
      }
      for (; world.underWay.length > 0; await settled()) world.underWay[0]?.answer();
      await world.queue.drain();
      for (const conversation of ['0', '1', '2', '3', '4']) {
        const of = (all: readonly { conversationId: string; body: string }[]) =>
          all.filter(({ conversationId }) => conversationId === conversation).map(({ body }) => body);
        expect(of(world.stored)).toEqual(of(sent));
      }
    }),
    { numRuns: 300 },
  );
});

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  type Announcement,
  type AnnouncementOptions,
  type Announcements,
  MAX_ANNOUNCED,
  MAX_TEXT,
  MIN_RECORDS,
} from './port.ts';

export interface AnnouncementsUnderTest extends AsyncDisposable {
  /** Another node on the same log. */
  open(): Promise<Announcements>;
  /** Empties the log as a crash would, and waits until it can be reached again. */
  lose(): Promise<void>;
}

export interface ContractOptions {
  /** Of random schedules. */
  readonly runs: number;
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await turn();
}

/** What is true, whatever has been announced of it. */
class Truth {
  readonly texts: string[] = [];

  add(kind: string, count: number): Announcement[] {
    return Array.from({ length: count }, () => {
      const text = String(this.texts.length);
      this.texts.push(text);
      return { kind, text };
    });
  }
}

/** A node with a follower that knows what it has read from the truth and heard since. */
class Node {
  readonly announcements: Announcements;
  readonly truth: Truth;
  known = new Set<string>();
  /** Heard since the last reset, or `reset`. */
  events: string[] = [];
  isResetting = false;
  resetsToFail = 0;
  failedResets = 0;
  resetTurns = 0;
  resets = 0;
  waitInReset: Promise<void> | undefined;

  constructor(announcements: Announcements, truth: Truth, kind = 'test') {
    this.announcements = announcements;
    this.truth = truth;
    announcements.follow(kind, { hear: (texts) => this.#hear(texts), reset: () => this.#reset() });
  }

  knows(texts: Iterable<string>): boolean {
    for (const text of texts) if (!this.known.has(text)) return false;
    return true;
  }

  /** Since the last reset. */
  get heard(): string[] {
    return this.events.slice(this.events.lastIndexOf('reset') + 1);
  }

  #hear(texts: readonly string[]): void {
    if (this.isResetting) throw new Error('heard during a reset');
    if (this.resets === 0) throw new Error('heard before the first reset');
    for (const text of texts) {
      this.known.add(text);
      this.events.push(text);
    }
  }

  async #reset(): Promise<void> {
    if (this.isResetting) throw new Error('two resets at once');
    this.isResetting = true;
    try {
      const read = new Set(this.truth.texts);
      await turns(this.resetTurns);
      await this.waitInReset;
      if (this.resetsToFail > 0) {
        this.resetsToFail -= 1;
        this.failedResets += 1;
        throw new Error('the truth cannot be read');
      }
      this.known = read;
      this.resets += 1;
      this.events.push('reset');
    } finally {
      this.isResetting = false;
    }
  }
}

async function twoNodes(under: AnnouncementsUnderTest) {
  const truth = new Truth();
  const nodes = [new Node(await under.open(), truth), new Node(await under.open(), truth)] as const;
  return { truth, one: nodes[0], other: nodes[1], nodes };
}

const catchUp = async ({ announcements }: Node, options?: AnnouncementOptions) =>
  announcements.catchUp(options);

const catchUpAll = (nodes: readonly Node[]) => Promise.all(nodes.map((node) => catchUp(node)));

/** What every adapter of `Announcements` promises. */
export function announcementsContract(
  create: () => Promise<AnnouncementsUnderTest>,
  { runs }: ContractOptions,
): void {
  hearingContract(create);
  resetContract(create);
  limitsContract(create);
  scheduleContract(create, runs);
}

function hearingContract(create: () => Promise<AnnouncementsUnderTest>): void {
  test('what was announced is heard on every node, in one order, neighbours together', async () => {
    await using under = await create();
    const { truth, one, other, nodes } = await twoNodes(under);
    await catchUpAll(nodes);
    const announce = (node: Node) => node.announcements.announce(truth.add('test', 5));
    await Promise.all(Array.from({ length: 20 }, (_, at) => announce(at % 2 === 0 ? one : other)));
    await catchUpAll(nodes);
    expect(other.heard).toEqual(one.heard);
    expect([...one.heard].sort((a, b) => Number(a) - Number(b))).toEqual(truth.texts);
    for (let at = 0; at < one.heard.length; at += 5) {
      const first = Number(one.heard[at]);
      expect(one.heard.slice(at, at + 5).map(Number)).toEqual([0, 1, 2, 3, 4].map((step) => first + step));
    }
  });

  test('the order holds over all kinds; what nobody follows is passed over', async () => {
    await using under = await create();
    const [announcements, sender] = [await under.open(), await under.open()];
    const heard: string[] = [];
    for (const kind of ['a', 'b'])
      announcements.follow(kind, {
        hear: (texts) => heard.push(...texts.map((text) => `${kind}${text}`)),
        reset: async () => {},
      });
    await announcements.catchUp();
    await sender.announce(['a', 'a', 'b', 'c', 'b', 'a'].map((kind, at) => ({ kind, text: String(at) })));
    await announcements.catchUp();
    expect(heard).toEqual(['a0', 'a1', 'b2', 'b4', 'a5']);
  });

  test('more than one reply holds is heard whole; who is behind the end of the log begins anew', async () => {
    await using under = await create();
    const { truth, one, other, nodes } = await twoNodes(under);
    await catchUpAll(nodes);
    const announceMany = async (count: number) => {
      for (let left = count; left > 0; left -= MAX_ANNOUNCED)
        await one.announcements.announce(truth.add('test', Math.min(left, MAX_ANNOUNCED)));
    };
    await announceMany(MIN_RECORDS);
    await catchUp(other);
    expect([other.resets, other.heard.length]).toEqual([1, MIN_RECORDS]);
    await announceMany(2 * MIN_RECORDS);
    await catchUpAll(nodes);
    expect(nodes.map((node) => node.knows(truth.texts))).toEqual([true, true]);
  }, 30_000);
}

function resetContract(create: () => Promise<AnnouncementsUnderTest>): void {
  test('a follower is reset before it hears anything, and what is announced meanwhile is heard after it', async () => {
    await using under = await create();
    const { truth, one, other } = await twoNodes(under);
    await other.announcements.announce(truth.add('test', 3));
    const { promise, resolve } = Promise.withResolvers<void>();
    one.waitInReset = promise;
    let isCurrent = false;
    const first = catchUp(one).then(() => {
      isCurrent = true;
    });
    while (!one.isResetting) await turn();
    await other.announcements.announce(truth.add('test', 2));
    const second = catchUp(one);
    await turns(20);
    expect([isCurrent, one.events]).toEqual([false, []]);
    resolve();
    await Promise.all([first, second]);
    expect(one.events[0]).toBe('reset');
    expect(one.heard.slice(-2)).toEqual(['3', '4']);
    expect(one.knows(truth.texts)).toBe(true);
  });

  test('while a reset fails nothing is caught up; the next catchUp tries again', async () => {
    await using under = await create();
    const { truth, one, other } = await twoNodes(under);
    one.resetsToFail = 2;
    for (let left = 2; left > 0; left -= 1)
      await expect(catchUp(one)).rejects.toThrow('the truth cannot be read');
    await other.announcements.announce(truth.add('test', 1));
    await catchUp(one);
    expect([one.resets, one.knows(truth.texts)]).toEqual([1, true]);
  });

  test('one follower that cannot be reset holds back all of its node', async () => {
    await using under = await create();
    const truth = new Truth();
    const announcements = await under.open();
    const [good, bad] = [new Node(announcements, truth), new Node(announcements, truth, 'bad')];
    bad.resetsToFail = 1;
    await expect(catchUp(good)).rejects.toThrow('the truth cannot be read');
    await announcements.announce(truth.add('test', 1));
    await announcements.catchUp();
    expect([good, bad].map((node) => node.knows(truth.texts))).toEqual([true, true]);
  });

  test.each(['lose', 'beginAnew'] as const)('%s: every node begins anew from the truth', async (how) => {
    await using under = await create();
    const { truth, one, other, nodes } = await twoNodes(under);
    await catchUpAll(nodes);
    await one.announcements.announce(truth.add('test', 10));
    await catchUpAll(nodes);
    // What could not be announced.
    truth.add('test', 1);
    if (how === 'lose') await under.lose();
    else await other.announcements.beginAnew();
    await catchUpAll(nodes);
    expect(nodes.map(({ resets }) => resets)).toEqual([2, 2]);
    await other.announcements.announce(truth.add('test', 10));
    await catchUpAll(nodes);
    expect(nodes.map((node) => node.knows(truth.texts))).toEqual([true, true]);
    expect(nodes.map(({ resets }) => resets)).toEqual([2, 2]);
  });
}

function limitsContract(create: () => Promise<AnnouncementsUnderTest>): void {
  test('an abort ends the waiting of its caller alone', async () => {
    await using under = await create();
    const { one } = await twoNodes(under);
    const { promise, resolve } = Promise.withResolvers<void>();
    one.waitInReset = promise;
    const leaving = new AbortController();
    const [left, stayed] = [catchUp(one, { signal: leaving.signal }), catchUp(one)];
    while (!one.isResetting) await turn();
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    resolve();
    await stayed;
    const { signal } = leaving;
    await expect(catchUp(one, { signal })).rejects.toThrow('gone');
    await expect(one.announcements.announce([], { signal })).rejects.toThrow('gone');
    await expect(one.announcements.beginAnew({ signal })).rejects.toThrow('gone');
    expect(one.resets).toBe(1);
  });

  test('limits', async () => {
    await using under = await create();
    const { one, other, nodes } = await twoNodes(under);
    await catchUpAll(nodes);
    const text = '界'.repeat(MAX_TEXT);
    await one.announcements.announce(Array.from({ length: MAX_ANNOUNCED }, () => ({ kind: 'test', text })));
    await one.announcements.announce([]);
    await catchUp(other);
    expect(other.heard).toEqual(Array.from({ length: MAX_ANNOUNCED }, () => text));
    const refused = [
      [{ kind: 'test', text: `${text}.` }],
      [{ kind: '', text: '1' }],
      [{ kind: 'two words', text: '1' }],
      [{ kind: 'k'.repeat(21), text: '1' }],
      Array.from({ length: MAX_ANNOUNCED + 1 }, () => ({ kind: 'test', text: '1' })),
    ];
    for (const records of refused) await expect(one.announcements.announce(records)).rejects.toThrow();
    const follower = { hear: () => {}, reset: async () => {} };
    expect(() => one.announcements.follow('late', follower)).toThrow();
    const young = await under.open();
    young.follow('twice', follower);
    expect(() => young.follow('twice', follower)).toThrow();
  });
}

const step = fc.record({
  node: fc.constantFrom(0 as const, 1 as const),
  action: fc.oneof(
    { weight: 5, arbitrary: fc.constant('catchUp' as const) },
    { weight: 4, arbitrary: fc.constant('announce' as const) },
    { weight: 1, arbitrary: fc.constantFrom('beginAnew' as const, 'failReset' as const) },
  ),
  count: fc.integer({ min: 1, max: 4 }),
  /** Turns of the event loop before the next step: 0 lets steps overlap. */
  pause: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 })),
});

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Also with announcements that fail after the truth has changed, and resets that take their time. */
function scheduleContract(create: () => Promise<AnnouncementsUnderTest>, runs: number): void {
  test('random schedules: what was acknowledged before a catchUp is known after it; one order for all', async () => {
    await using under = await create();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(3), async (steps, resetTurns) => {
        const { nodes, truth } = await twoNodes(under);
        for (const node of nodes) node.resetTurns = resetTurns;
        await follow(steps, nodes, truth);
        for (const node of nodes) node.resetsToFail = 0;
        await catchUpAll(nodes);
        expect(nodes.map((node) => node.knows(truth.texts))).toEqual([true, true]);
        const [ones, others] = nodes.map(({ heard }) => heard.filter((text) => nodes.every(hears(text))));
        expect(ones).toEqual(others!);
      }),
      { numRuns: runs },
    );
  }, 120_000);
}

const hears = (text: string) => (node: Node) => node.heard.includes(text);

async function follow(steps: readonly Step[], nodes: readonly [Node, Node], truth: Truth): Promise<void> {
  const acknowledged: string[] = [];
  const actions = {
    catchUp: async (node: Node) => {
      const before = acknowledged.length;
      const failures = node.failedResets;
      const isCurrent = await catchUp(node).then(
        () => true,
        () => false,
      );
      if (isCurrent) expect(node.knows(acknowledged.slice(0, before))).toBe(true);
      // Of a reset that fails now, or that has failed and is still telling those who waited for it.
      else expect(node.failedResets).toBeGreaterThanOrEqual(Math.max(1, failures));
    },
    announce: async (node: Node, count: number) => {
      const records = truth.add('test', count);
      await node.announcements.announce(records);
      acknowledged.push(...records.map(({ text }) => text));
    },
    beginAnew: (node: Node) => node.announcements.beginAnew(),
    failReset: async (node: Node) => {
      node.resetsToFail += 1;
    },
  };
  const underWay: Promise<void>[] = [];
  for (const { node, action, count, pause } of steps) {
    underWay.push(actions[action](nodes[node], count));
    await turns(pause);
  }
  await Promise.all(underWay);
}

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { type Attachment, MAX_UNACKNOWLEDGED } from '../../src/features/chat/delivery/index.ts';
import { AppError } from '../../src/kernel/errors.ts';
import { deliveryWorld, TestDevice } from '../support/delivery-world.ts';
import { eventually } from '../support/eventually.ts';

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

async function direct(nodeCount = 1) {
  const world = await deliveryWorld(nodeCount);
  const [ann, bob] = (await world.world.people(2)) as [string, string];
  const conversationId = await world.world.direct(ann, bob);
  const device = await world.register(bob);
  return { ...world, ann, bob, conversationId, device, [Symbol.asyncDispose]: world[Symbol.asyncDispose] };
}

describe('Delivery on one node', () => {
  test('gives what is pending, then what is said, and again what was not acknowledged', async () => {
    await using w = await direct();
    await w.say(w.conversationId, w.ann, 3);
    const first = new TestDevice();
    const attachment = w.node.attach(w.device, first);
    await attachment.open('client');
    await eventually(async () => first.seqs(w.conversationId).length === 3);
    await w.say(w.conversationId, w.ann, 2);
    expect(first.seqs(w.conversationId)).toEqual([1, 2, 3, 4, 5]);
    attachment.ack(w.conversationId, 3);
    expect(attachment.unacknowledged).toBe(2);
    attachment.detach();
    const second = new TestDevice();
    await w.node.attach(w.device, second).open('client');
    await eventually(async () => second.seqs(w.conversationId).length === 2);
    expect(second.seqs(w.conversationId)).toEqual([4, 5]);
    expect(first.wasDisplaced).toBe(false);
  });

  test('what is said while a device comes is given once, in order', async () => {
    await using w = await direct();
    await w.say(w.conversationId, w.ann, 2);
    const device = new TestDevice();
    const opening = w.node.attach(w.device, device).open('client');
    for (let n = 0; n < 5; n += 1) await w.say(w.conversationId, w.ann);
    await opening;
    await w.say(w.conversationId, w.ann);
    await eventually(async () => device.seqs(w.conversationId).length >= 8);
    expect(device.seqs(w.conversationId)).toEqual(range(1, 8));
  });

  test('a device that is far behind gets a gap and the newest messages', async () => {
    await using w = await direct();
    await w.say(w.conversationId, w.ann, 700);
    const device = new TestDevice();
    const attachment = w.node.attach(w.device, device);
    await attachment.open('client');
    await eventually(async () => device.seqs(w.conversationId).length === 101);
    expect(device.seqs(w.conversationId)).toEqual(['1-600', ...range(601, 700)]);
    attachment.ack(w.conversationId, 600);
    expect(attachment.unacknowledged).toBe(100);
    expect(await w.cursorOf(w.device, w.conversationId)).toBe(600);
  });

  test('at most 1,000 wait for acknowledgement; then heads are told, and what is missing is pulled', async () => {
    await using w = await direct();
    const device = new TestDevice();
    const attachment = w.node.attach(w.device, device);
    await attachment.open('client');
    for (let n = 0; n < 12; n += 1) await w.say(w.conversationId, w.ann, 100);
    expect(device.seqs(w.conversationId)).toEqual(range(1, MAX_UNACKNOWLEDGED));
    expect(attachment.isBehind).toBe(true);
    await eventually(async () => device.notices.length > 0);
    expect(device.notices).toContainEqual({ kind: 'head', conversationId: w.conversationId, seq: 1_200 });
    attachment.ack(w.conversationId, 400);
    await w.say(w.conversationId, w.ann);
    expect(device.seqs(w.conversationId)).toHaveLength(1_000);
    attachment.ack(w.conversationId, 500);
    await eventually(async () => device.seqs(w.conversationId).length === 1_201);
    await w.say(w.conversationId, w.ann);
    expect(device.seqs(w.conversationId)).toEqual(range(1, 1_202));
    expect(attachment.isBehind).toBe(false);
  });

  test('while its socket takes no more nothing is given, and afterwards everything', async () => {
    await using w = await direct();
    const device = new TestDevice();
    const attachment = w.node.attach(w.device, device);
    await attachment.open('auto');
    await w.say(w.conversationId, w.ann, 2);
    attachment.pause();
    await w.say(w.conversationId, w.ann, 300);
    expect(device.seqs(w.conversationId)).toEqual([1, 2]);
    expect(await w.cursorOf(w.device, w.conversationId)).toBe(2);
    attachment.resume();
    await eventually(async () => device.seqs(w.conversationId).length === 302);
    expect(device.seqs(w.conversationId)).toEqual(range(1, 302));
    await eventually(async () => (await w.cursorOf(w.device, w.conversationId)) === 302);
  });

  test('a cumulative acknowledgement covers all conversations before it; an individual one only itself', async () => {
    await using w = await direct();
    const other = await w.world.group(w.ann, w.bob);
    const device = new TestDevice();
    const attachment = w.node.attach(w.device, device);
    await attachment.open('client');
    await w.say(w.conversationId, w.ann, 3);
    await w.say(other, w.ann, 2);
    await w.say(w.conversationId, w.ann, 2);
    attachment.ack(other, 2);
    // The group began with a message of its own, which is history for a device that was there before.
    await eventually(async () => (await w.cursorOf(w.device, w.conversationId)) === 3);
    expect(await w.cursorOf(w.device, other)).toBe(2);
    attachment.detach();

    const again = w.node.attach(w.device, new TestDevice());
    await again.open('client-individual');
    await eventually(async () => again.unacknowledged === 3);
    await w.say(w.conversationId, w.ann, 3);
    again.ack(w.conversationId, 5);
    again.ack(w.conversationId, 7);
    again.ack(w.conversationId, 7);
    again.ack(w.conversationId, 99);
    expect(again.unacknowledged).toBe(4);
    expect(await w.cursorOf(w.device, w.conversationId)).toBe(3);
    again.ack(w.conversationId, 4);
    await eventually(async () => (await w.cursorOf(w.device, w.conversationId)) === 5);
    again.ack(w.conversationId, 6);
    await eventually(async () => (await w.cursorOf(w.device, w.conversationId)) === 7);
    expect(again.unacknowledged).toBe(2);
  });

  test('own messages go to the other devices, and move the cursor of the sending one', async () => {
    await using w = await direct();
    const second = await w.register(w.bob);
    const [one, two] = [new TestDevice(), new TestDevice()];
    const sending = w.node.attach(w.device, one);
    await sending.open('client');
    await w.node.attach(second, two).open('client');
    await w.say(w.conversationId, w.bob, 2, w.node, w.device.id);
    await w.say(w.conversationId, w.ann);
    await w.say(w.conversationId, w.bob, 1, w.node, w.device.id);
    expect(one.seqs(w.conversationId)).toEqual([3]);
    expect(two.seqs(w.conversationId)).toEqual([1, 2, 3, 4]);
    expect(await w.cursorOf(w.device, w.conversationId)).toBe(2);
    sending.ack(w.conversationId, 3);
    await eventually(async () => (await w.cursorOf(w.device, w.conversationId)) === 4);
  });

  test('who comes into a group gets what is said from then on, who leaves gets no more', async () => {
    await using w = await direct();
    const cid = await w.world.person();
    const group = await w.world.group(w.ann, cid);
    const device = new TestDevice();
    await w.node.attach(w.device, device).open('client');
    await w.say(group, w.ann, 2);
    w.tell(await w.world.add(group, w.ann, [w.bob]));
    await w.say(group, w.ann, 2);
    const joined = device.notices.find((notice) => (notice as { kind: string }).kind === 'joined');
    expect(joined).toMatchObject({ conversationId: group });
    await eventually(async () => device.seqs(group).includes(6));
    expect(device.seqs(group)).not.toContain(3);
    const before = device.seqs(group).length;
    w.tell(await w.world.remove(group, w.ann, w.bob));
    await w.say(group, w.ann, 2);
    expect(device.seqs(group).slice(before).length).toBeLessThanOrEqual(1);
    expect(device.seqs(group)).not.toContain(9);
    expect(device.notices.at(-1)).toMatchObject({ kind: 'left', conversationId: group });
  });

  test.each(['heard', 'pulled'])(
    'who was taken out gets nothing after it, by the order of the messages (%s)',
    async (how) => {
      await using w = await direct();
      const group = await w.world.group(w.ann, w.bob, await w.world.person());
      const device = new TestDevice();
      await w.node.attach(w.device, device).open('client');
      await w.say(group, w.ann);
      // That it happened is heard nowhere but in the conversation itself.
      const { message } = await w.world.remove(group, w.ann, w.bob);
      if (how === 'heard') w.node.committed([message!]);
      await w.say(group, w.ann, 2);
      await w.say(w.conversationId, w.ann);
      await eventually(async () => device.seqs(w.conversationId).length === 1);
      await Bun.sleep(20);
      expect(device.seqs(group)).toEqual([1, 2]);
      // As long as it lasts.
      await w.world.add(group, w.ann, [w.bob]);
      w.node.events([{ accountId: w.bob, pts: 9, kind: 'joined', conversationId: group, seq: null }]);
      await w.say(group, w.ann);
      await eventually(async () => device.seqs(group).includes(7));
      expect(device.seqs(group)).toEqual([1, 2, 6, 7]);
    },
  );

  test('whoever came back before it was heard that they were gone stays', async () => {
    await using w = await direct();
    const group = await w.world.group(w.ann, w.bob, await w.world.person());
    const device = new TestDevice();
    await w.node.attach(w.device, device).open('client');
    const left = await w.world.remove(group, w.ann, w.bob);
    const joined = await w.world.add(group, w.ann, [w.bob]);
    w.tell(joined);
    w.tell(left);
    await eventually(async () => device.seqs(group).includes(3));
    await w.say(group, w.ann);
    await eventually(async () => device.seqs(group).includes(4));
    expect(device.seqs(group)).toEqual([1, 3, 4]);
  });

  test('a newer connection of a device displaces the older one', async () => {
    await using w = await direct();
    const [one, two] = [new TestDevice(), new TestDevice()];
    await w.node.attach(w.device, one).open('client');
    const second = w.node.attach(w.device, two);
    expect(one.wasDisplaced).toBe(true);
    await second.open('client');
    await w.say(w.conversationId, w.ann);
    expect([one.seqs(w.conversationId), two.seqs(w.conversationId)]).toEqual([[], [1]]);
  });

  test('what was stored and never told is found when it is suspected', async () => {
    await using w = await direct();
    const device = new TestDevice();
    await w.node.attach(w.device, device).open('client');
    const nobody = { committed: () => {} };
    await w.say(w.conversationId, w.ann, 2, nobody);
    w.node.suspect([w.conversationId]);
    await eventually(async () => device.seqs(w.conversationId).length === 2);
  });

  test('news wake those who wait for them, and an abort does', async () => {
    await using w = await direct();
    const ending = new AbortController();
    const waiting = w.node.waitForNews(w.bob, ending.signal);
    const other = w.node.waitForNews(await w.world.person(), ending.signal);
    await w.say(w.conversationId, w.ann);
    await waiting;
    ending.abort();
    await other;
  });
});

describe('Delivery on several nodes', () => {
  test('goes where somebody is, also messages that nobody heard of on the way', async () => {
    await using w = await direct(3);
    const device = new TestDevice();
    await w.nodes[1]!.attach(w.device, device).open('client');
    await w.say(w.conversationId, w.ann, 2);
    await eventually(async () => device.seqs(w.conversationId).length === 2);
    w.bus.losesShare = 1;
    await w.say(w.conversationId, w.ann, 2);
    w.bus.losesShare = 0;
    await w.say(w.conversationId, w.ann, 1, w.nodes[2]);
    await eventually(async () => device.seqs(w.conversationId).length === 5);
    // The last one is lost, and only a position or a sweep can tell.
    w.bus.losesShare = 1;
    await w.say(w.conversationId, w.ann, 1);
    w.bus.losesShare = 0;
    await eventually(async () => device.seqs(w.conversationId).length === 6);
    expect(device.seqs(w.conversationId)).toEqual(range(1, 6));
  });

  test('what is suspected on one node is looked at on all, and again when it could not be', async () => {
    await using w = await direct(2);
    // So many that a sweep takes its time.
    for (let n = 0; n < 480; n += 1) await w.world.group(w.bob, w.ann);
    const conversationId = await w.world.group(w.ann, w.bob);
    const device = new TestDevice();
    await w.nodes[1]!.attach(w.device, device).open('auto');
    await eventually(async () => device.seqs(conversationId).length === 1);
    const { messages } = w.stores;
    const heads = messages.heads.bind(messages);
    let failures = 0;
    messages.heads = async () => {
      failures += 1;
      throw new AppError('database-unavailable');
    };
    const nobody = { committed: () => {} };
    await w.say(conversationId, w.ann, 1, nobody);
    w.node.suspect([conversationId]);
    await eventually(async () => failures > 2);
    messages.heads = heads;
    await eventually(async () => device.seqs(conversationId).length === 2, 500);
  });

  test('who may have come into a conversation reads it on every node, also when that was stored a little later', async () => {
    await using w = await direct(2);
    const group = await w.world.group(w.ann);
    const device = new TestDevice();
    await w.nodes[1]!.attach(w.device, device).open('client');
    // So that both nodes remember who is in it.
    await w.say(group, w.ann);
    w.node.suspectMembers(group, [w.bob]);
    await w.world.add(group, w.ann, [w.bob]);
    await eventually(async () => device.seqs(group).length === 1, 500);
    await w.say(group, w.ann, 2);
    await eventually(async () => device.seqs(group).length === 3, 500);
  });

  test('while the bus is away, and when it comes back', async () => {
    await using w = await direct(2);
    const device = new TestDevice();
    await w.nodes[1]!.attach(w.device, device).open('client');
    await w.say(w.conversationId, w.ann);
    await eventually(async () => device.seqs(w.conversationId).length === 1);
    w.bus.isAway = true;
    await w.say(w.conversationId, w.ann, 2);
    await eventually(async () => device.seqs(w.conversationId).length === 3);
    await w.say(w.conversationId, w.ann);
    w.bus.comeBack();
    await eventually(async () => device.seqs(w.conversationId).length === 4);
    expect(device.seqs(w.conversationId)).toEqual([1, 2, 3, 4]);
  });

  test('a device that has connected elsewhere is displaced', async () => {
    await using w = await direct(2);
    const [one, two] = [new TestDevice(), new TestDevice()];
    await w.nodes[0]!.attach(w.device, one).open('client');
    await Bun.sleep(100);
    await w.nodes[1]!.attach(w.device, two).open('client');
    await eventually(async () => one.wasDisplaced);
    expect(two.wasDisplaced).toBe(false);
  });

  test('a node that does not reach the route table serves its devices, and is found later', async () => {
    await using w = await direct(2);
    for (let n = 0; n < 480; n += 1) await w.world.group(w.bob, w.ann);
    w.withoutRoutes.add(1);
    const [device, newer] = [new TestDevice(), new TestDevice()];
    await w.say(w.conversationId, w.ann);
    await w.nodes[1]!.attach(w.device, device).open('auto');
    await eventually(async () => device.seqs(w.conversationId).length === 1);
    await w.say(w.conversationId, w.ann);
    w.withoutRoutes.clear();
    await eventually(async () => device.seqs(w.conversationId).length === 2, 500);
    // It may be the older one that others come to find last.
    w.withoutRoutes.add(0);
    const third = await w.register(w.ann);
    await w.nodes[0]!.attach(third, device).open('auto');
    await Bun.sleep(5);
    await w.nodes[1]!.attach(third, newer).open('auto');
    await Bun.sleep(20);
    expect([device.wasDisplaced, newer.wasDisplaced]).toEqual([false, false]);
    w.withoutRoutes.clear();
    await eventually(async () => device.wasDisplaced);
    expect(newer.wasDisplaced).toBe(false);
  });

  test('a membership that nobody heard of is found', async () => {
    await using w = await direct(2);
    const device = new TestDevice();
    await w.nodes[1]!.attach(w.device, device).open('client');
    await w.say(w.conversationId, w.ann);
    await eventually(async () => device.seqs(w.conversationId).length === 1);
    const group = await w.world.group(w.ann, await w.world.person());
    w.bus.losesShare = 1;
    w.tell(await w.world.add(group, w.ann, [w.bob]));
    await Bun.sleep(5);
    w.bus.losesShare = 0;
    await w.say(w.conversationId, w.ann);
    await eventually(async () => {
      await w.say(group, w.ann);
      return device.seqs(group).length > 3;
    });
  });

  test('wakes who waits on another node', async () => {
    await using w = await direct(2);
    const { signal } = new AbortController();
    // The first answer comes when the node is known for the account.
    await w.nodes[1]!.waitForNews(w.bob, signal);
    const waiting = w.nodes[1]!.waitForNews(w.bob, signal);
    await w.say(w.conversationId, w.ann);
    await waiting;
  });
});

type Step =
  | {
      readonly kind: 'say';
      readonly group: number;
      readonly node: number;
      readonly count: number;
      readonly by: number;
    }
  | { readonly kind: 'attach'; readonly device: number; readonly node: number }
  | { readonly kind: 'detach' | 'ack' | 'pause' | 'resume'; readonly device: number }
  | { readonly kind: 'weather'; readonly loses: number; readonly repeats: number }
  | { readonly kind: 'wait' };

const small = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('say' as const),
      group: small,
      node: small,
      count: fc.integer({ min: 1, max: 4 }),
      by: small,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('attach' as const), device: small, node: small }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('detach' as const, 'ack' as const, 'pause' as const, 'resume' as const),
      device: small,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('weather' as const),
      loses: fc.constantFrom(0, 0.3, 1),
      repeats: fc.constantFrom(0, 0.3),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'wait' as const }) },
);

test('whatever is lost, repeated, paused and moved: each device gets all messages, each connection in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      await using w = await deliveryWorld(3);
      const people = await w.world.people(3);
      const groups: string[] = [];
      for (let n = 0; n < 3; n += 1) groups.push(await w.world.group(people[0]!, people[1]!, people[2]!));
      const devices = await Promise.all(people.map((id) => w.register(id)));
      const arrived = devices.map(() => new Map(groups.map((id) => [id, new Set<number>([1])])));
      const present: ({ attachment: Attachment; device: TestDevice; opening: Promise<void> } | undefined)[] =
        [];
      const connections: { device: TestDevice; owner: number }[] = [];
      const collect = (owner: number) => {
        const { device } = present[owner]!;
        for (const id of groups) for (const seq of device.seqs(id)) arrived[owner]!.get(id)!.add(Number(seq));
      };
      const attach = (owner: number, node: number) => {
        if (present[owner]) collect(owner);
        present[owner]?.attachment.detach();
        const device = new TestDevice();
        connections.push({ device, owner });
        const attachment = w.nodes[node]!.attach(devices[owner]!, device);
        present[owner] = { attachment, device, opening: attachment.open('client').catch(() => undefined) };
      };
      for (const each of steps) {
        if (each.kind === 'say')
          await w.say(
            groups[each.group]!,
            people[each.by]!,
            each.count,
            w.nodes[each.node],
            devices[each.by]!.id,
          );
        else if (each.kind === 'attach') attach(each.device, each.node);
        else if (each.kind === 'weather') {
          w.bus.losesShare = each.loses;
          w.bus.repeatsShare = each.repeats;
        } else if (each.kind === 'wait') await Bun.sleep(3);
        else {
          const there = present[each.device];
          if (!there) continue;
          if (each.kind === 'ack')
            for (const id of groups) {
              const last = there.device.seqs(id).at(-1);
              if (last !== undefined) there.attachment.ack(id, Number(last));
            }
          else if (each.kind === 'detach') {
            collect(each.device);
            there.attachment.detach();
            present[each.device] = undefined;
          } else there.attachment[each.kind]();
        }
      }
      w.bus.losesShare = 0;
      for (let owner = 0; owner < 3; owner += 1) {
        if (!present[owner]) attach(owner, owner);
        await present[owner]!.opening;
        present[owner]!.attachment.resume();
      }
      const heads = await w.stores.messages.heads(groups);
      const all = await w.stores.messages.read(
        groups.map((conversationId) => ({
          conversationId,
          afterSeq: 0,
          limit: 300,
          keep: 'oldest' as const,
        })),
      );
      const missing = () => {
        const lacking: string[] = [];
        // Taken for the older one of two that came in the same instant.
        for (const [owner, there] of present.entries()) if (there?.device.wasDisplaced) attach(owner, owner);
        for (const [owner, device] of devices.entries()) {
          collect(owner);
          for (const [index, id] of groups.entries())
            for (const { seq, deviceId } of all[index]!)
              if (deviceId !== device.id && !arrived[owner]!.get(id)!.has(seq))
                lacking.push(`${owner} ${id} ${seq}`);
        }
        return lacking;
      };
      await eventually(async () => missing().length === 0, 5_000).catch(() => expect(missing()).toEqual([]));
      for (const { device, owner } of connections) {
        for (const [index, id] of groups.entries()) {
          const seqs = device.seqs(id).map(Number);
          const own = new Set(
            all[index]!.filter(({ deviceId }) => deviceId === devices[owner]!.id).map(({ seq }) => seq),
          );
          for (const [at, seq] of seqs.entries()) {
            if (at === 0) continue;
            let next = seqs[at - 1]! + 1;
            while (own.has(next)) next += 1;
            expect(seq).toBe(next);
          }
        }
      }
      expect([...heads.values()].every((head) => head > 0)).toBe(true);
    }),
    { numRuns: 60, endOnFailure: true },
  );
}, 60_000);

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { AppError } from '../../kernel/errors.ts';
import type { NodeIdentity, RouteTable } from './port.ts';

export interface RouteTableFactory {
  /** Another node of the table. `name` is what the bus knows it by. */
  open(name: string, identity: () => NodeIdentity | undefined): Promise<RouteTable>;
  /** Lets more than `ttlMs` pass for a node that does not renew; the others are renewed by `renewing`. */
  expire(renewing: readonly RouteTable[]): Promise<void>;
  /** Empties the table as a crash would, and waits until it can be reached again. */
  lose(): Promise<void>;
  close(): Promise<void>;
}

let lastNode = 0;
const newNode = (): number => {
  lastNode += 1;
  return lastNode;
};

/** Every adapter of RouteTable passes this, with its production settings. */
export function routeTableContract(name: string, factory: () => Promise<RouteTableFactory>): void {
  describe(`RouteTable contract: ${name}`, () => {
    let made: RouteTableFactory;
    beforeAll(async () => {
      made = await factory();
    }, 60_000);
    afterAll(() => made.close());

    const open = async (node = newNode(), generation = 1) => {
      const name = `node-${node}-${generation}`;
      return { name, node, table: await made.open(name, () => ({ node, generation })) };
    };
    /** Accounts of one test only. */
    const accountsOf = (count: number) => {
      const start = BigInt(Math.floor(Math.random() * 2 ** 40)) << 20n;
      return Array.from({ length: count }, (_, n) => String(start + BigInt(n)));
    };

    test('visibility: what one has added the others find, in the order of the question, until it is removed', async () => {
      const [one, two, three] = [await open(), await open(), await open()];
      const [a, b, c, nobody] = accountsOf(4) as [string, string, string, string];
      await one.table.add([a, b]);
      await two.table.add([b, c]);
      const found = await three.table.nodesOf([c, nobody, b, a]);
      expect(found.map((names) => [...names].sort())).toEqual([
        [two.name],
        [],
        [one.name, two.name].sort(),
        [one.name],
      ]);
      // Nobody is told about itself.
      expect(await two.table.nodesOf([b, c])).toEqual([[one.name], []]);
      await one.table.remove([b]);
      expect(await three.table.nodesOf([a, b])).toEqual([[one.name], [two.name]]);
      for (const { table } of [one, two, three]) await table[Symbol.asyncDispose]();
    });

    test('adding and removing twice is the same as once', async () => {
      const [one, two] = [await open(), await open()];
      const [account] = accountsOf(1) as [string];
      await one.table.add([account, account]);
      await one.table.add([account]);
      await one.table.remove([account]);
      await one.table.remove([account]);
      expect(await two.table.nodesOf([account])).toEqual([[]]);
      expect(await one.table.renew()).toBe(true);
      for (const { table } of [one, two]) await table[Symbol.asyncDispose]();
    });

    test('many accounts in one call, at the limit', async () => {
      const [one, two] = [await open(), await open()];
      const accounts = accountsOf(10_000);
      await one.table.add(accounts);
      const found = await two.table.nodesOf(accounts);
      expect(found).toHaveLength(accounts.length);
      expect(found.every((names) => names.length === 1 && names[0] === one.name)).toBe(true);
      for (const { table } of [one, two]) await table[Symbol.asyncDispose]();
    });

    test('generation: what an earlier process of the number added is gone once the later one adds anything', async () => {
      const early = await open();
      const late = await open(early.node, 2);
      const asker = await open();
      const accounts = accountsOf(64);
      await early.table.add(accounts);
      await late.table.add(accounts.slice(0, 32));
      const found = await asker.table.nodesOf(accounts);
      expect(found.slice(0, 32).every((names) => names.length === 1 && names[0] === late.name)).toBe(true);
      expect(found.slice(32).flat()).toEqual([]);
      // The earlier one, should it live, takes nothing out and puts nothing in.
      await early.table.remove(accounts);
      await early.table.add(accounts);
      expect(await early.table.renew()).toBe(false);
      expect(await asker.table.nodesOf(accounts)).toEqual(found);
      for (const { table } of [early, late, asker]) await table[Symbol.asyncDispose]();
    });

    test('a node that has got another number says that its entries have to be added again', async () => {
      let identity: NodeIdentity | undefined = { node: newNode(), generation: 1 };
      const table = await made.open('moving', () => identity);
      const asker = await open();
      const [account] = accountsOf(1) as [string];
      await table.add([account]);
      identity = undefined;
      expect((async () => table.add([account]))()).rejects.toBeInstanceOf(AppError);
      identity = { node: newNode(), generation: 1 };
      expect(await table.renew()).toBe(false);
      await table.add([account]);
      expect([...new Set((await asker.table.nodesOf([account])).flat())]).toEqual(['moving']);
      expect(await table.renew()).toBe(true);
      for (const each of [table, asker.table]) await each[Symbol.asyncDispose]();
    });

    test('expiry: what is not renewed is gone, and its node is told when it comes back', async () => {
      const [silent, alive, asker] = [await open(), await open(), await open()];
      const accounts = accountsOf(40);
      await silent.table.add(accounts);
      await alive.table.add(accounts);
      await made.expire([alive.table]);
      const found = await asker.table.nodesOf(accounts);
      expect(found.every((names) => names.length === 1 && names[0] === alive.name)).toBe(true);
      expect(await silent.table.renew()).toBe(false);
      await silent.table.add(accounts);
      expect((await asker.table.nodesOf(accounts)).every((names) => names.length === 2)).toBe(true);
      expect(await silent.table.renew()).toBe(true);
      for (const { table } of [silent, alive, asker]) await table[Symbol.asyncDispose]();
    });

    test('loss: the first renewal says so, and what was added meanwhile is there', async () => {
      const [one, asker] = [await open(), await open()];
      const accounts = accountsOf(40);
      await one.table.add(accounts);
      expect(await one.table.renew()).toBe(true);
      await made.lose();
      await one.table.add(accounts.slice(0, 1));
      expect(await asker.table.nodesOf(accounts.slice(0, 1))).toEqual([[one.name]]);
      expect(await one.table.renew()).toBe(false);
      await one.table.add(accounts);
      expect((await asker.table.nodesOf(accounts)).every(([name]) => name === one.name)).toBe(true);
      expect(await one.table.renew()).toBe(true);
      for (const { table } of [one, asker]) await table[Symbol.asyncDispose]();
    });

    test('a node that is closed is found no more', async () => {
      const [one, asker] = [await open(), await open()];
      const accounts = accountsOf(40);
      await one.table.add(accounts);
      await one.table[Symbol.asyncDispose]();
      expect((await asker.table.nodesOf(accounts)).flat()).toEqual([]);
      await asker.table[Symbol.asyncDispose]();
    });
  });
}

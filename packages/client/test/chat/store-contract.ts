import { expect, test } from 'bun:test';
import type { ChatStore, Json } from '../../src/chat/store.ts';

/** What every store promises. `open` answers the same storage for the same name. */
export function storeContract(kind: string, open: (name: string) => ChatStore): void {
  let count = 0;
  const fresh = () => open(`${kind}-${++count}`);
  const all = async (store: ChatStore, prefix = '') =>
    (await store.read(prefix)).map(({ key, value }) => [key, value]);

  test(`${kind}: what was written is read by its prefix, in the order of the keys`, async () => {
    const store = fresh();
    for (const key of ['b/2', 'a/1', 'b/10', 'b', 'b0', 'c/1']) await store.write([{ key, value: key }]);
    expect((await store.read('b/')).map(({ key }) => key)).toEqual(['b/10', 'b/2']);
    expect(await all(store, 'nothing')).toEqual([]);
    expect((await store.read('')).map(({ key }) => key)).toEqual(['a/1', 'b', 'b/10', 'b/2', 'b0', 'c/1']);
  });

  test(`${kind}: values come back as they were, and do not change with what was given`, async () => {
    const store = fresh();
    const list = [1, 'two', null, { three: [true] }];
    const values: Json[] = [null, false, 0, '', '\u{1F389}\u0000', list];
    await store.write(values.map((value, at) => ({ key: `v/${at}`, value })));
    list.push('later');
    expect((await store.read('v/')).map(({ value }) => value)).toEqual([
      ...values.slice(0, -1),
      [1, 'two', null, { three: [true] }],
    ]);
  });

  test(`${kind}: one write changes, adds and removes; the last word on a key holds`, async () => {
    const store = fresh();
    await store.write([
      { key: 'a', value: 1 },
      { key: 'b', value: 1 },
    ]);
    await store.write([
      { key: 'a', value: undefined },
      { key: 'b', value: 2 },
      { key: 'c', value: 1 },
      { key: 'c', value: 3 },
      { key: 'never', value: undefined },
    ]);
    expect(await all(store)).toEqual([
      ['b', 2],
      ['c', 3],
    ]);
    await store.write([]);
    expect(await all(store)).toHaveLength(2);
  });

  test(`${kind}: a write that cannot be done changes nothing`, async () => {
    const store = fresh();
    await store.write([{ key: 'a', value: 1 }]);
    // Neither JSON nor a structured clone can be made of it: a circle with a function in it.
    const circle: unknown[] = [() => 1];
    circle.push(circle);
    const write = store.write([
      { key: 'a', value: 2 },
      { key: 'b', value: circle as Json },
    ]);
    await expect(write).rejects.toThrow();
    expect(await all(store)).toEqual([['a', 1]]);
  });

  test(`${kind}: two that are open share it, and writes of one moment keep their order`, async () => {
    const store = fresh();
    const same = open(`${kind}-${count}`);
    await Promise.all(Array.from({ length: 50 }, (_, value) => store.write([{ key: 'a', value }])));
    expect(await all(same)).toEqual([['a', 49]]);
  });
}

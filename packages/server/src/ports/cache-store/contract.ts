import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  type CacheStore,
  type EntryKey,
  type Fill,
  type Lease,
  MAX_LOAD_MS,
  MAX_ROWS,
  MAX_VALUE_BYTES,
  type ReadResult,
} from './port.ts';

export interface CacheStoreFactory {
  /** Two nodes on one store; the same object twice where there is only one node. */
  readonly nodes: readonly [CacheStore, CacheStore];
  /** Lets the store's time pass. */
  elapse(ms: number): Promise<void>;
  /** How long after a change the store may still refuse pages that contain the row; nothing if it knows exactly. */
  readonly settleMs?: number;
  /** Makes the store lose what it acknowledged since `save`, and come back; absent where it cannot. */
  readonly loseWrites?: { save(): Promise<void>; restart(): Promise<void> };
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (value: Uint8Array | null | undefined) => value && new TextDecoder().decode(value);
const leaseMs = 5_000;

/** Every adapter of CacheStore passes this, with its production settings. */
export function cacheStoreContract(name: string, factory: () => Promise<CacheStoreFactory>): void {
  describe(`CacheStore contract: ${name}`, () => {
    let made: CacheStoreFactory;
    let here: CacheStore;
    let there: CacheStore;
    let next = 0;
    beforeAll(async () => {
      made = await factory();
      [here, there] = made.nodes;
    });
    afterAll(() => made.close());

    const newKey = (): EntryKey => ({ key: `thing:${++next}`, owner: `things:id=${next}` });
    const read = async (key: EntryKey, store = here, ms = leaseMs) =>
      (await store.read([key], { leaseMs: ms }))[0]!;
    const leaseOf = async (key: EntryKey, store = here, ms = leaseMs): Promise<Lease> => {
      const result = await read(key, store, ms);
      if (result.kind !== 'lease') throw new Error(`no lease but ${result.kind}`);
      return { ...key, token: result.token };
    };
    const fill = async (lease: Lease, text: string | null, more: Partial<Fill> = {}, store = here) => {
      const value = text === null ? null : bytes(text);
      const base = { ...lease, value, freshForMs: 60_000, staleForMs: 60_000, contains: [], ageMs: 0 };
      return (await store.fill([{ ...base, ...more }]))[0]!;
    };
    const put = async (key: EntryKey, text: string | null, more: Partial<Fill> = {}) => {
      expect((await fill(await leaseOf(key), text, more)).kind).toBe('filled');
    };
    const shown = (result: ReadResult) =>
      result.kind === 'hit'
        ? `hit ${textOf(result.value)}`
        : `${result.kind}${result.stale ? ` stale ${textOf(result.stale.value)}` : ''}`;

    test('what was filled under a lease is a hit everywhere', async () => {
      const key = newKey();
      await put(key, 'one');
      for (const store of [here, there]) {
        const result = await read(key, store);
        expect(result).toMatchObject({ kind: 'hit', contains: [] });
        expect(shown(result)).toBe('hit one');
        if (result.kind === 'hit') expect(result.freshForMs).toBeGreaterThan(50_000);
      }
    });

    test('many keys in one call are answered in their order', async () => {
      const keys = Array.from({ length: 100 }, newKey);
      const leases = await here.read(keys, { leaseMs });
      const fills = keys.map((key, index) => {
        const result = leases[index]!;
        if (result.kind !== 'lease') throw new Error(result.kind);
        const value = bytes(key.key);
        return {
          ...key,
          token: result.token,
          value,
          freshForMs: 60_000,
          staleForMs: 0,
          contains: [],
          ageMs: 0,
        };
      });
      expect((await here.fill(fills)).every(({ kind }) => kind === 'filled')).toBe(true);
      const results = await there.read([...keys].reverse(), undefined);
      expect(results.map(shown)).toEqual([...keys].reverse().map(({ key }) => `hit ${key}`));
    });

    test('a read that asks for no lease gets none', async () => {
      const key = newKey();
      expect(await here.read([key], undefined)).toEqual([{ kind: 'miss', stale: undefined }]);
      expect((await read(key)).kind).toBe('lease');
    });

    test('one lease at a time across all nodes', async () => {
      const key = newKey();
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, n) => read(key, n % 2 === 0 ? here : there)),
      );
      expect(results.filter(({ kind }) => kind === 'lease').length).toBe(1);
      expect(results.filter(({ kind }) => kind === 'busy').length).toBe(19);
    });

    test('a fill says whether somebody was told busy', async () => {
      const [alone, awaited] = [newKey(), newKey()];
      expect(await fill(await leaseOf(alone), 'x')).toEqual({ kind: 'filled', isAwaited: false });
      const lease = await leaseOf(awaited);
      expect((await read(awaited, there)).kind).toBe('busy');
      expect(await fill(lease, 'x')).toEqual({ kind: 'filled', isAwaited: true });
    });

    test('a lease that was given back is had by the next, and its token fills nothing', async () => {
      const key = newKey();
      const lease = await leaseOf(key);
      expect(await here.release([lease])).toEqual([false]);
      const second = await leaseOf(key, there);
      expect(second.token).not.toBe(lease.token);
      expect((await fill(lease, 'old')).kind).toBe('void');
      expect(await here.release([lease])).toEqual([false]);
      expect((await read(key)).kind).toBe('busy');
      expect(await there.release([second])).toEqual([true]);
    });

    test('a lease expires with its holder, and its token fills nothing', async () => {
      const key = newKey();
      const lease = await leaseOf(key, here, 100);
      await made.elapse(110);
      expect(await here.renew([lease], 100)).toEqual([false]);
      const second = await leaseOf(key, there);
      expect((await fill(lease, 'old')).kind).toBe('void');
      expect((await fill(second, 'new', {}, there)).kind).toBe('filled');
      expect(shown(await read(key))).toBe('hit new');
    });

    test('a lease that is renewed outlives its first term', async () => {
      const key = newKey();
      const lease = await leaseOf(key, here, 150);
      for (let turn = 0; turn < 4; turn++) {
        await made.elapse(60);
        expect(await here.renew([lease], 150)).toEqual([true]);
      }
      expect((await read(key, there)).kind).toBe('busy');
      expect((await fill(lease, 'late')).kind).toBe('filled');
    });

    test('an invalidation turns a hit into something stale', async () => {
      const key = newKey();
      await put(key, 'old');
      await there.invalidate([key.owner]);
      expect(shown(await read(key))).toBe('lease stale old');
      expect(shown(await read(key, there))).toBe('busy stale old');
    });

    test('an invalidation voids the lease: its fill is refused and a new one can be had at once', async () => {
      const key = newKey();
      const slow = await leaseOf(key);
      await there.invalidate([key.owner]);
      expect(await here.renew([slow], leaseMs)).toEqual([false]);
      const second = await leaseOf(key, there);
      expect((await fill(slow, 'old')).kind).toBe('void');
      expect((await fill(second, 'new', {}, there)).kind).toBe('filled');
      expect((await fill(slow, 'old')).kind).toBe('void');
      expect(shown(await read(key))).toBe('hit new');
    });

    test('an invalidation of another row changes nothing', async () => {
      const [key, other] = [newKey(), newKey()];
      const lease = await leaseOf(key);
      await here.invalidate([other.owner]);
      expect((await fill(lease, 'one')).kind).toBe('filled');
      await here.invalidate([other.owner]);
      expect(shown(await read(key))).toBe('hit one');
    });

    test('an entry is invalidated by each of the rows that it contains', async () => {
      const rows = Array.from({ length: 5 }, () => newKey().owner);
      for (const row of rows) {
        const key = newKey();
        await made.elapse(made.settleMs ?? 10);
        await put(key, 'page', { contains: rows });
        expect(await read(key, there)).toMatchObject({ kind: 'hit', contains: rows });
        await there.invalidate([row]);
        expect(shown(await read(key))).toBe('lease stale page');
      }
    });

    test('a fill is refused when a row that it contains changed during the load', async () => {
      const row = newKey().owner;
      await here.invalidate([row]);
      await made.elapse(60);
      const key = newKey();
      const [startedMs, lease] = [performance.now(), await leaseOf(key)];
      await there.invalidate([row]);
      const ageMs = Math.ceil(performance.now() - startedMs) + 20;
      expect((await fill(lease, 'old page', { contains: [row], ageMs })).kind).toBe('void');
      // The refusal gives the lease back.
      expect((await read(key)).kind).toBe('lease');
    });

    test('a row that changed before the load began refuses nothing', async () => {
      const row = newKey().owner;
      await here.invalidate([row]);
      await made.elapse(made.settleMs ?? 10);
      const key = newKey();
      await put(key, 'page', { contains: [row] });
      expect(shown(await read(key, there))).toBe('hit page');
    });

    test('nothing is fresh after its time, and nothing is kept after its second one', async () => {
      const key = newKey();
      await put(key, 'short', { freshForMs: 80, staleForMs: 200 });
      const first = await read(key);
      expect(first.kind === 'hit' && first.freshForMs <= 80).toBe(true);
      await made.elapse(90);
      expect(shown((await here.read([key], undefined))[0]!)).toBe('miss stale short');
      await made.elapse(300);
      expect(shown((await here.read([key], undefined))[0]!)).toBe('miss');
    });

    test('freshness is counted from the grant of the lease', async () => {
      const key = newKey();
      const lease = await leaseOf(key);
      await made.elapse(120);
      expect((await fill(lease, 'slow', { freshForMs: 100 })).kind).toBe('filled');
      expect(shown(await read(key))).toBe('lease stale slow');
    });

    test('"there is no such row" is a value', async () => {
      const key = newKey();
      await put(key, null);
      expect(await read(key, there)).toMatchObject({ kind: 'hit', value: null });
      await here.invalidate([key.owner]);
      expect(await read(key)).toMatchObject({ kind: 'lease', stale: { value: null } });
    });

    test('bytes stay bytes, also none and many', async () => {
      for (const value of [
        new Uint8Array(0),
        new Uint8Array([0, 255, 10, 13, 0]),
        new Uint8Array(200_000).fill(7),
      ]) {
        const key = newKey();
        const lease = await leaseOf(key);
        await fill(lease, null, { value });
        const result = await read(key, there);
        expect(result.kind === 'hit' && result.value && Buffer.compare(result.value, value)).toBe(0);
      }
    });

    test('what is too large, contains too much or took too long is refused', async () => {
      const refusals: Partial<Fill>[] = [
        { value: new Uint8Array(MAX_VALUE_BYTES + 1) },
        { contains: Array.from({ length: MAX_ROWS + 1 }, (_, n) => `rows:id=${n}`) },
        { contains: ['rows:id=1'], ageMs: MAX_LOAD_MS + 1 },
      ];
      for (const refusal of refusals) {
        const key = newKey();
        expect((await fill(await leaseOf(key), 'x', refusal)).kind).toBe('void');
        expect((await read(key)).kind).toBe('lease');
      }
    });

    test('forgetAll makes everything cold and voids every lease', async () => {
      const [key, other] = [newKey(), newKey()];
      await put(key, 'old');
      const lease = await leaseOf(other);
      await there.forgetAll();
      expect((await read(key)).kind).toBe('lease');
      expect((await fill(lease, 'old')).kind).toBe('void');
      expect((await read(other)).kind).toBe('lease');
    });

    test('a value kept aside comes back until its time, whatever is invalidated', async () => {
      const [key, other] = [newKey(), newKey()];
      await here.keep([key, other], [bytes('aside'), bytes('other')], 150);
      await here.invalidate([key.owner]);
      expect((await there.recall([newKey(), key])).map(textOf)).toEqual([undefined, 'aside']);
      await there.keep([other], [null], 150);
      expect(await here.recall([other])).toEqual([undefined]);
      await made.elapse(160);
      expect(await here.recall([key])).toEqual([undefined]);
    });

    test('an abort rejects with the reason of the signal', async () => {
      const reason = new Error('gone');
      const failed = await here
        .read([newKey()], undefined, { signal: AbortSignal.abort(reason) })
        .catch((e) => e);
      expect(failed).toBe(reason);
    });

    test('what was filled before acknowledged writes were lost is no hit any more', async () => {
      if (!made.loseWrites) return;
      const [changed, untouched, loading] = [newKey(), newKey(), newKey()];
      await put(changed, 'old');
      await put(untouched, 'same');
      const lease = await leaseOf(loading);
      await made.loseWrites.save();
      await here.invalidate([changed.owner, loading.owner]);
      await made.loseWrites.restart();
      for (const key of [changed, untouched]) expect((await read(key)).kind).not.toBe('hit');
      expect((await fill(lease, 'old')).kind).toBe('void');
      const fresh = await leaseOf(loading, there);
      expect((await fill(fresh, 'new', {}, there)).kind).toBe('filled');
      expect(shown(await read(loading))).toBe('hit new');
    });
  });
}

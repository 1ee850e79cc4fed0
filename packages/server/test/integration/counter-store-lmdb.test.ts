import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLmdbCounterStore } from '../../src/adapters/lmdb/counter-store.ts';
import { counterStoreContract } from '../../src/ports/counter-store/contract.ts';

counterStoreContract('LMDB', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hvideo-counters-'));
  const store = await openLmdbCounterStore(folder);
  return {
    store,
    // One process holds the folder: its handles share the mapped file.
    second: store,
    close: async () => {
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

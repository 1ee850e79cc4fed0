import type { ChatStore, StoredValue } from './store.ts';
import type { ChatLocks } from './surroundings.ts';

/** One of the devices that this storage keeps: its name for the server, and who else may not use it now. */
export interface Instance {
  readonly name: string;
  /** Of its keys in the store. */
  readonly prefix: string;
  readonly values: readonly StoredValue[];
  readonly release: () => void;
}

export interface InstanceOptions {
  readonly accountId: string;
  readonly store: ChatStore;
  readonly locks: ChatLocks | undefined;
  readonly now: number;
  readonly randomName: () => string;
}

/** Instances looked at before a new one is made. */
const maxTries = 20;
/** The server forgets a device after 30 days. */
const forgetAfterMs = 30 * 86_400_000;

/**
 * Takes an instance that nobody uses, so that its queue is sent and its chains go on, the ones with a queue first; or makes
 * a new one. Each tab has one of its own: two that shared one would use the same numbers. Without locks it cannot be known
 * who is alive, so that every start is a new instance.
 */
export async function claimInstance(options: InstanceOptions): Promise<Instance> {
  const { accountId, store, locks, randomName } = options;
  const root = `chat/${accountId}/`;
  if (locks === undefined) return { ...fresh(root, randomName()), release: () => undefined };
  const known = byName(root, await store.read(root));
  const names = [...known].sort(([, a], [, b]) => messages(b) - messages(a)).map(([name]) => name);
  for (const name of names.slice(0, maxTries)) {
    const release = await locks.tryLock(`hvideo-${root}${name}`);
    if (release === null) continue;
    // Read again under the lock: who held it may have written since.
    const prefix = `${root}${name}/`;
    try {
      return { name, prefix, values: await store.read(prefix), release };
    } catch (error) {
      release();
      throw error;
    }
  }
  const instance = fresh(root, randomName());
  const release = await locks.tryLock(`hvideo-${root}${instance.name}`);
  return { ...instance, release: release ?? (() => undefined) };
}

/** Says that it is in use, and removes those that nobody has used for long and that have nothing to send. */
export async function noteUse(options: InstanceOptions, instance: Instance): Promise<void> {
  const { store, accountId, now } = options;
  const root = `chat/${accountId}/`;
  await store.write([{ key: `${instance.prefix}used`, value: now }]);
  for (const [name, values] of byName(root, await store.read(root))) {
    const used = values.find(({ key }) => key === `${root}${name}/used`)?.value;
    const isOld = typeof used === 'number' && now - used > forgetAfterMs;
    if (!isOld || name === instance.name || messages(values) > 0) continue;
    await store.write(values.map(({ key }) => ({ key, value: undefined })));
  }
}

/** Unsent messages of all instances of the account but one. */
export async function countUnsent(
  store: ChatStore,
  accountId: string,
  except: string | undefined,
): Promise<number> {
  const root = `chat/${accountId}/`;
  let count = 0;
  for (const [name, values] of byName(root, await store.read(root))) {
    if (name !== except) count += messages(values);
  }
  return count;
}

/** All instances of the account, also those that are in use. */
export async function eraseInstances(store: ChatStore, accountId: string): Promise<void> {
  const values = await store.read(`chat/${accountId}/`);
  await store.write(values.map(({ key }) => ({ key, value: undefined })));
}

function fresh(root: string, name: string) {
  return { name, prefix: `${root}${name}/`, values: [] };
}

function byName(root: string, values: readonly StoredValue[]): Map<string, StoredValue[]> {
  const instances = new Map<string, StoredValue[]>();
  for (const value of values) {
    const name = value.key.slice(root.length).split('/')[0] ?? '';
    const known = instances.get(name);
    if (known === undefined) instances.set(name, [value]);
    else known.push(value);
  }
  return instances;
}

function messages(values: readonly StoredValue[]): number {
  return values.filter(({ key }) => /\/m\/\d+$/.test(key)).length;
}

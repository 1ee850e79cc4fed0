import { expect, test } from 'bun:test';
import pino from 'pino';
import { MemoryBus } from '../../src/adapters/memory/bus.ts';
import { EndedLogins, type EndedLoginsDeps } from '../../src/roles/ended-logins.ts';

const depsWith = (bus: MemoryBus): EndedLoginsDeps => ({
  ...{ bus, log: pino({ level: 'silent' }), authentication: { onForgotten: undefined } },
});

class DeafBus extends MemoryBus {
  override subscribe(): Promise<never> {
    return Promise.reject(new Error('the bus is gone'));
  }
}

test('a bus that cannot be listened to fails the start, and nothing of it stays', async () => {
  const deps = depsWith(new DeafBus());
  await expect(EndedLogins.open(deps)).rejects.toThrow('the bus is gone');
  expect(deps.authentication.onForgotten).toBeUndefined();
});

test('logins that end here are told at once, and to other nodes', async () => {
  const bus = new MemoryBus();
  const here = depsWith(bus);
  await using one = await EndedLogins.open(here);
  await using other = await EndedLogins.open(depsWith(bus));
  const own: (readonly string[])[] = [];
  one.onEnded = (ids) => own.push(ids);
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  other.onEnded = resolve;
  here.authentication.onForgotten?.(['4711']);
  expect(own[0]).toEqual(['4711']);
  expect(await promise).toEqual(['4711']);
});

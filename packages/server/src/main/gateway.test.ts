import { expect, test } from 'bun:test';
import pino from 'pino';
import { MemoryBus } from '../adapters/memory/bus.ts';
import { type GatewayOptions, openGateway } from './gateway.ts';

const never = async (): Promise<never> => {
  throw new Error('nobody asks for it');
};

function optionsWith(bus: MemoryBus): GatewayOptions {
  return {
    ...{ bus, log: pino({ level: 'silent' }), nodeName: 'here' },
    config: { HVIDEO_LIMITS: true, HVIDEO_NODE_URL: undefined, HVIDEO_SHUTDOWN_SECONDS: 1 },
    accounts: {
      authentication: { onForgotten: undefined, loginOf: never, endedOf: async () => [], standing: never },
    },
    chat: {
      committer: { submit: () => {} },
      devices: { register: never },
      delivery: {
        ...{ alternatives: () => [], leave: () => {}, suspect: () => {} },
        attach: () => {
          throw new Error('nobody is there');
        },
      },
    },
  };
}

class DeafBus extends MemoryBus {
  override subscribe(): Promise<never> {
    return Promise.reject(new Error('the bus is gone'));
  }
}

test('a bus that cannot be listened to fails the start, and nothing of it stays', async () => {
  const options = optionsWith(new DeafBus());
  await expect(openGateway(options)).rejects.toThrow('the bus is gone');
  expect(options.accounts.authentication.onForgotten).toBeUndefined();
});

test('logins that end here are told to other nodes', async () => {
  const bus = new MemoryBus();
  const { promise, resolve } = Promise.withResolvers<unknown>();
  await bus.subscribe('ended-logins', {
    onMessage: (message) => resolve(JSON.parse(new TextDecoder().decode(message))),
    onGap: () => {},
  });
  const options = optionsWith(bus);
  await using _gateway = await openGateway(options);
  options.accounts.authentication.onForgotten?.(['4711']);
  expect(await promise).toEqual(['4711']);
});

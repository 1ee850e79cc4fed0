import type { Config } from '../config/config.ts';
import type { Accounts } from '../features/accounts/index.ts';
import { systemClock as clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { Metrics } from '../kernel/metrics.ts';
import { systemRandom as random } from '../kernel/random.ts';
import type { Bus } from '../ports/bus/port.ts';
import type { Application } from '../transport/http/server.ts';
import { Gateway, type GatewayChat, SocketRpc } from '../transport/stomp/index.ts';
import { VERSION } from './version.ts';

export interface GatewayOptions {
  readonly config: Pick<Config, 'HVIDEO_LIMITS' | 'HVIDEO_NODE_URL' | 'HVIDEO_SHUTDOWN_SECONDS'>;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly accounts: {
    readonly authentication: Pick<
      Accounts['authentication'],
      'onForgotten' | 'loginOf' | 'endedOf' | 'standing'
    >;
  };
  readonly chat: GatewayChat;
  readonly bus: Bus;
  readonly nodeName: string;
}

const ENDED_LOGINS = 'ended-logins';
/** A process that is alone has nowhere to send its clients: they come back when it does. */
const aloneDrainMs = 200;

/**
 * The chat's sockets, at `/ws`; they are there when HTTP tells how it carries requests. Rejects when the bus cannot be reached, as
 * everything does that listens to it from its start.
 */
export async function openGateway(options: GatewayOptions) {
  const { config, log, metrics, accounts, chat, bus, nodeName } = options;
  const { authentication } = accounts;
  const gateways: Gateway[] = [];
  const recheck = (sessionIds: readonly string[]) => {
    for (const gateway of gateways)
      gateway
        .recheck(sessionIds)
        .catch((error: unknown) => log.warn({ err: error }, 'logins were not checked'));
  };
  // Of what was ended elsewhere this node hears by the bus, or within a minute by itself.
  const listening = await bus.subscribe(ENDED_LOGINS, {
    onMessage: (message) => recheck(JSON.parse(new TextDecoder().decode(message))),
    onGap: () => undefined,
  });
  authentication.onForgotten = (sessionIds) => {
    recheck(sessionIds);
    const message = new TextEncoder().encode(JSON.stringify(sessionIds.slice(0, 10_000)));
    bus.publish(ENDED_LOGINS, message).catch((error: unknown) => {
      log.debug({ err: error }, 'other nodes were not told of ended logins');
    });
  };
  const sockets: NonNullable<Application['sockets']> = (dispatch, rules) => {
    const gateway = new Gateway({
      ...{ clock, random, log, metrics, chat, version: VERSION },
      authenticate: (token) => authentication.loginOf(token),
      endedOf: (sessionIds) => authentication.endedOf(sessionIds),
      rpc: new SocketRpc(dispatch, (viewer) => authentication.standing(viewer)),
      hasLimits: config.HVIDEO_LIMITS,
      node: config.HVIDEO_NODE_URL ?? nodeName,
    });
    gateways.push(gateway);
    return {
      path: '/ws',
      upgrade: (request, address) => {
        const { connection, protocol } = gateway.upgrade(request, address, rules);
        return { end: connection, protocol };
      },
    };
  };
  return {
    sockets,
    /** Asks the clients to go elsewhere. */
    async drain(): Promise<void> {
      const isAlone = chat.delivery.alternatives().length === 0;
      const withinMs = isAlone ? aloneDrainMs : Math.min(5_000, config.HVIDEO_SHUTDOWN_SECONDS * 500);
      for (const gateway of gateways) await gateway.drain(withinMs);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      authentication.onForgotten = undefined;
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
      await listening[Symbol.asyncDispose]();
    },
  };
}

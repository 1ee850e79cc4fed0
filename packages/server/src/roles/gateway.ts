import type { Accounts } from '../features/accounts/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import type { Metrics } from '../kernel/metrics.ts';
import type { Random } from '../kernel/random.ts';
import type { Application } from '../transport/http/server.ts';
import { Gateway, type GatewayChat, SocketRpc } from '../transport/stomp/index.ts';
import type { EndedLogins } from './ended-logins.ts';

export interface GatewayRoleDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics?: Metrics | undefined;
  readonly authentication: Pick<Accounts['authentication'], 'loginOf' | 'endedOf' | 'standing'>;
  readonly chat: GatewayChat;
  readonly endedLogins: Pick<EndedLogins, 'onEnded'>;
  readonly settings: {
    readonly hasLimits: boolean;
    readonly version: string;
    /** What clients are told that this node is called. */
    readonly node: string;
    /** A drain takes no longer. */
    readonly drainMs: number;
  };
}

/** A process that is alone has nowhere to send its clients: they come back when it does. */
const aloneDrainMs = 200;

/** The chat's sockets, at `/ws`; they are there when HTTP tells how it carries requests. */
export function openGateway(deps: GatewayRoleDeps) {
  const { clock, random, log, metrics, authentication, chat, endedLogins, settings } = deps;
  const gateways: Gateway[] = [];
  endedLogins.onEnded = (sessionIds) => {
    for (const gateway of gateways)
      gateway
        .recheck(sessionIds)
        .catch((error: unknown) => log.warn({ err: error }, 'logins were not checked'));
  };
  const sockets: NonNullable<Application['sockets']> = (dispatch, rules) => {
    const gateway = new Gateway({
      ...{ clock, random, log, metrics, chat },
      ...{ hasLimits: settings.hasLimits, version: settings.version, node: settings.node },
      authenticate: (token) => authentication.loginOf(token),
      endedOf: (sessionIds) => authentication.endedOf(sessionIds),
      rpc: new SocketRpc(dispatch, (viewer) => authentication.standing(viewer)),
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
      const withinMs = isAlone ? aloneDrainMs : settings.drainMs;
      for (const gateway of gateways) await gateway.drain(withinMs);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      endedLogins.onEnded = undefined;
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]();
    },
  };
}

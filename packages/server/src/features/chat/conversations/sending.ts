import { createHash } from 'node:crypto';
import { type MessageContent, messageBody, type SendReceipt } from '@hvideo/protocol';
import type { Idempotency } from '../../../ports/database/port.ts';
import type { Commits } from '../commit/index.ts';
import type { Delivery } from '../delivery/index.ts';
import type { Devices, Login } from '../sync/devices.ts';

export interface RestSend {
  readonly content: MessageContent;
  readonly deviceId?: string | undefined;
  readonly chain?: string | undefined;
  readonly clientSeq?: number | undefined;
  readonly preId?: string | undefined;
  readonly quote?: number | string | undefined;
}

export interface SendingDeps {
  readonly devices: Pick<Devices, 'known'>;
  readonly committer: Pick<Commits, 'send'>;
  readonly delivery: Pick<Delivery, 'suspect'>;
}

/** Messages that come without a socket. */
export class Sending {
  readonly #deps: SendingDeps;

  constructor(deps: SendingDeps) {
    this.#deps = deps;
  }

  /** Errors: those of the commit path, and `token-invalid` when the login has ended. */
  async send(
    login: Login,
    conversationId: string,
    { content, deviceId: instance = '', ...turn }: RestSend,
    idempotency?: Idempotency | undefined,
  ): Promise<SendReceipt> {
    const { committer, delivery, devices } = this.#deps;
    const device = await devices.known(login, instance);
    const sent = await committer.send({
      ...{ conversationId, senderId: login.accountId, deviceId: device.id, body: messageBody(content) },
      ...(turn.clientSeq === undefined && idempotency ? { ...turn, ...turnOf(idempotency) } : turn),
    });
    const { id, seq, isDuplicate: duplicate } = sent;
    // Whoever stored it may have died before it told anybody.
    if (duplicate) delivery.suspect([conversationId]);
    return { id, conversationId, seq, timestamp: new Date(sent.timestampMs).toISOString(), duplicate };
  }
}

/** A request that may be repeated is a chain of one message: what was stored by the first try is found by the second. */
function turnOf({ key }: Idempotency): { chain: string; clientSeq: number } {
  return { chain: `key-${createHash('sha256').update(key).digest('base64url')}`, clientSeq: 1 };
}

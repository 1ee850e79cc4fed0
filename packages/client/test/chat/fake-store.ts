import type { ChatMessage, SendReceipt } from '@hvideo/protocol';
import { ApiError } from '../../src/errors.ts';

export interface Device {
  readonly id: string;
  readonly account: string;
  /** Conversation to the last seq that it has acknowledged. */
  readonly cursors: Map<string, number>;
}

export interface Room {
  readonly id: string;
  readonly members: Map<string, { readSeq: number; deliveredSeq: number; joinedSeq: number }>;
  readonly messages: ChatMessage[];
}

export interface SendOf {
  readonly roomId: string;
  readonly device: Device;
  readonly chain: string;
  readonly clientSeq: number;
  readonly preId: string | undefined;
  readonly quote: string | undefined;
  readonly body: string;
}

interface ChainRecord {
  readonly verdicts: { readonly body: string; readonly receipt: SendReceipt | string }[];
}

export function refusal(status: number, code: string, more: object = {}): ApiError {
  const problem = {
    type: 'about:blank',
    title: code,
    status,
    code,
    outcome: 'not-applied' as const,
    ...more,
  };
  return new ApiError(problem, undefined);
}

/** What the server keeps, with its rules about chains: the model that the SDK is tried against. */
export class FakeStore {
  readonly rooms = new Map<string, Room>();
  readonly devices = new Map<string, Device>();
  readonly chains = new Map<string, ChainRecord>();
  /** Codes for texts that are refused for good. */
  readonly refused = new Map<string, string>();
  nextId = 1_000;
  now = () => 0;

  room(id: string, accounts: readonly string[]): Room {
    const members = new Map(
      accounts.map((account) => [account, { readSeq: 0, deliveredSeq: 0, joinedSeq: 0 }]),
    );
    const room: Room = { id, members, messages: [] };
    this.rooms.set(id, room);
    return room;
  }

  device(account: string, session: string, instance: string): Device {
    const key = `${session}/${instance}`;
    const known = this.devices.get(key);
    if (known !== undefined) return known;
    const device: Device = { id: String(this.nextId++), account, cursors: new Map() };
    for (const room of this.rooms.values()) device.cursors.set(room.id, room.messages.length);
    this.devices.set(key, device);
    return device;
  }

  roomOf(id: string, account: string): Room {
    const room = this.rooms.get(id);
    if (room === undefined || !room.members.has(account)) throw refusal(404, 'not-found');
    return room;
  }

  send(send: SendOf): { receipt: SendReceipt; message: ChatMessage | undefined } {
    const room = this.roomOf(send.roomId, send.device.account);
    const chain = this.#chain(send);
    const body = `${send.body}|${send.quote ?? ''}`;
    const known = chain.verdicts[send.clientSeq - 1];
    if (known !== undefined) {
      if (known.body !== body) throw refusal(409, 'chain-conflict');
      if (typeof known.receipt === 'string') throw refusal(403, known.receipt);
      return { receipt: { ...known.receipt, duplicate: true }, message: undefined };
    }
    this.#assertTurn(chain, send);
    const content = JSON.parse(send.body);
    const code = this.refused.get(content.text);
    if (code !== undefined) {
      chain.verdicts.push({ body, receipt: code });
      throw refusal(403, code);
    }
    const seq = room.messages.length + 1;
    const message: ChatMessage = {
      ...{ conversationId: room.id, seq, id: String(this.nextId++), content },
      ...{ senderId: send.device.account, senderDevice: send.device.id, clientSeq: send.clientSeq },
      quote: send.quote === undefined ? null : this.#quoted(send, send.quote),
      timestamp: new Date(this.now()).toISOString(),
    };
    room.messages.push(message);
    const receipt = {
      id: message.id,
      conversationId: room.id,
      seq,
      timestamp: message.timestamp,
      duplicate: false,
    };
    chain.verdicts.push({ body, receipt });
    return { receipt, message };
  }

  #chain(send: SendOf): ChainRecord {
    const key = `${send.device.id}/${send.roomId}/${send.chain}`;
    const chain = this.chains.get(key) ?? { verdicts: [] };
    this.chains.set(key, chain);
    return chain;
  }

  #assertTurn(chain: ChainRecord, { clientSeq, preId }: SendOf): void {
    const last = chain.verdicts.at(-1)?.receipt;
    const lastId = last === undefined || typeof last === 'string' ? '0' : last.id;
    if (clientSeq === chain.verdicts.length + 1 && (preId === undefined || preId === lastId)) return;
    throw refusal(409, 'out-of-turn', { expectedClientSeq: chain.verdicts.length + 1, expectedPreId: null });
  }

  #quoted(send: SendOf, quote: string): number {
    const [chain, clientSeq] = quote.split(':');
    if (clientSeq === undefined) return Number(quote);
    const verdict = this.#chain({ ...send, chain: chain ?? '' }).verdicts[Number(clientSeq) - 1];
    if (verdict === undefined || typeof verdict.receipt === 'string') throw refusal(422, 'quote-unknown');
    return verdict.receipt.seq;
  }
}

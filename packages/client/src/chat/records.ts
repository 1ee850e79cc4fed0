import { readContent } from '@hvideo/protocol/message';
import type { Chain, Outgoing } from './outgoing.ts';
import type { Json, StoreChange, StoredValue } from './store.ts';

/** Orders as text like the numbers. */
const orderDigits = 12;

type Fields = Readonly<Record<string, Json>>;

/** What the store holds for one instance. */
export interface Kept {
  readonly chains: ReadonlyMap<string, Chain>;
  /** In the order in which they were written. */
  readonly messages: readonly Outgoing[];
}

export function changesOf(
  prefix: string,
  conversationId: string,
  chain: Chain,
  changed: readonly Outgoing[],
  removed: readonly Outgoing[],
): StoreChange[] {
  return [
    { key: `${prefix}c/${conversationId}`, value: { ...chain } },
    ...changed.map((message) => ({ key: messageKey(prefix, message), value: messageValue(message) })),
    ...removed.map((message) => ({ key: messageKey(prefix, message), value: undefined })),
  ];
}

function messageKey(prefix: string, message: Outgoing): string {
  return `${prefix}m/${String(message.order).padStart(orderDigits, '0')}`;
}

function messageValue(message: Outgoing): Json {
  const { key, order, conversationId, body, writtenAtMs, baseSeq, chain, clientSeq } = message;
  const { quote, quoteSeq, quoteKey, failure, mayBeStored } = message;
  const reason = failure === null ? null : { code: failure.code, detail: failure.detail };
  return {
    ...{ key, order, conversationId, body, writtenAtMs, baseSeq, chain, clientSeq },
    ...{ quote, quoteSeq, quoteKey, failure: reason, isInDoubt: failure !== null && mayBeStored },
  };
}

/** Reads what is there; a record that is not as we write them (another version, another program) is left alone. */
export function readKept(prefix: string, values: readonly StoredValue[]): Kept {
  const chains = new Map<string, Chain>();
  const messages: Outgoing[] = [];
  for (const { key, value } of values) {
    if (!isFields(value)) continue;
    if (key.startsWith(`${prefix}c/`)) {
      const chain = readChain(value);
      if (chain !== undefined) chains.set(key.slice(prefix.length + 2), chain);
    } else if (key.startsWith(`${prefix}m/`)) {
      const message = readMessage(value, chains);
      if (message !== undefined) messages.push(message);
    }
  }
  return { chains, messages };
}

function readChain(fields: Fields): Chain | undefined {
  const { name, device, nextSeq, lastSeq, lastId, topSeq } = fields;
  if (typeof name !== 'string' || typeof lastId !== 'string') return undefined;
  if (typeof device !== 'string' && device !== null) return undefined;
  if (typeof nextSeq !== 'number' || typeof lastSeq !== 'number' || typeof topSeq !== 'number')
    return undefined;
  return { name, device, nextSeq, lastSeq, lastId, topSeq };
}

function readMessage(fields: Fields, chains: ReadonlyMap<string, Chain>): Outgoing | undefined {
  const { key, order, conversationId, body, writtenAtMs, baseSeq, chain, clientSeq } = fields;
  const { quote, quoteSeq, quoteKey, failure } = fields;
  if (typeof key !== 'string' || typeof order !== 'number' || typeof conversationId !== 'string')
    return undefined;
  if (typeof body !== 'string' || typeof writtenAtMs !== 'number' || typeof baseSeq !== 'number')
    return undefined;
  if (typeof chain !== 'string' || typeof clientSeq !== 'number') return undefined;
  const content = readContent(JSON.parse(body));
  if (content === undefined) return undefined;
  const failed = isFields(failure) && typeof failure['code'] === 'string';
  return {
    ...{ key, order, conversationId, content, body, writtenAtMs, baseSeq, chain, clientSeq },
    quote: typeof quote === 'string' ? quote : null,
    quoteSeq: typeof quoteSeq === 'number' ? quoteSeq : null,
    quoteKey: typeof quoteKey === 'string' ? quoteKey : null,
    failure: failed ? { code: String(failure['code']), detail: null } : null,
    isKept: true,
    mayBeStored: failed
      ? fields['isInDoubt'] === true
      : (chains.get(conversationId)?.device ?? null) !== null,
    tries: 0,
  };
}

function isFields(value: Json | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

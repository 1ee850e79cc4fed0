import type { ChatMark } from '@hvideo/protocol';
import { MAX_MESSAGE_BYTES } from '../../../ports/bus/port.ts';
import type { StoredEvent } from '../../../ports/conversation-store/port.ts';
import type { StoredMessage } from '../../../ports/message-store/port.ts';
import type { Suspicion } from './suspects.ts';

/** A device has connected here: its older connections elsewhere end. */
export interface Takeover {
  readonly accountId: string;
  readonly deviceId: string;
  /** Of two that come at the same moment the larger one stays: time, then chance. */
  readonly stamp: readonly [number, number];
}

export interface Load {
  readonly messages: StoredMessage[];
  readonly events: StoredEvent[];
  readonly marks: ChatMark[];
  readonly takeovers: Takeover[];
}

/**
 * From one node to another, on the other’s topic. Parcels are numbered for each pair; `events` counts those with anything in them
 * but messages, so that who missed some knows what kind.
 */
export interface Parcel {
  readonly from: string;
  /** Numbers begin anew with each series. */
  readonly series: number;
  readonly number: number;
  readonly events: number;
  /** Absent: only the position is told. */
  readonly load?: Load;
}

/** To all nodes, now and then and when something changes. */
export interface Hello {
  readonly from: string;
  readonly address?: string | undefined;
  /** It takes no more connections. */
  readonly isLeaving?: boolean;
  /** Whose members have changed. */
  readonly changed?: readonly string[];
  /** They may hold something that nobody told. */
  readonly suspected?: readonly Suspicion[];
}

export const topicOf = (nodeName: string): string => `chat-node:${nodeName}`;
export const ALL_NODES = 'chat-nodes';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const encode = (what: Parcel | Hello): Uint8Array => encoder.encode(JSON.stringify(what));
/** Only nodes write here: what comes is what they sent. */
export const decodeParcel = (bytes: Uint8Array): Parcel => JSON.parse(decoder.decode(bytes));
export const decodeHello = (bytes: Uint8Array): Hello => JSON.parse(decoder.decode(bytes));

export const emptyLoad = (): Load => ({ messages: [], events: [], marks: [], takeovers: [] });

/** What a message takes at most: a character is up to six octets of JSON. */
const sizeOf = (message: StoredMessage) => 400 + message.body.length * 6;
const smallSize = 200;
const room = MAX_MESSAGE_BYTES - 1_000;

/** Loads that fit a message of the bus each, in order. */
export function* parts(load: Load): Generator<Load> {
  let part = emptyLoad();
  let size = 0;
  for (const message of load.messages) {
    const own = sizeOf(message);
    if (size + own > room) {
      yield part;
      part = emptyLoad();
      size = 0;
    }
    part.messages.push(message);
    size += own;
  }
  for (const kind of ['events', 'marks', 'takeovers'] as const) {
    for (const each of load[kind]) {
      if (size + smallSize > room) {
        yield part;
        part = emptyLoad();
        size = 0;
      }
      (part[kind] as unknown[]).push(each);
      size += smallSize;
    }
  }
  if (size > 0) yield part;
}

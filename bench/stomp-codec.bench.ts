import { heapStats } from 'bun:jsc';
import {
  encodeFrame,
  messagePrefix,
  SharedMessage,
  type StompCommand,
  StompDecoder,
  type StompHeaders,
} from '@hvideo/protocol/stomp';
import { FrameImpl, Parser } from '@stomp/stompjs';
import type { Benchmark } from './main.ts';

const utf8 = new TextEncoder();
const decodeUtf8 = new TextDecoder();
const scratch = new Uint8Array(4_096);
const rounds = 5;
const roundMs = 300;
/** Frames between two looks at the clock. */
const stride = 500;

interface Sample {
  readonly command: StompCommand;
  readonly headers: StompHeaders;
  readonly body: string;
}

const words = 'The quick brown fox jumps over the lazy dog, and then once more. ';
const samples: Readonly<Record<'send' | 'message' | 'ack' | 'sendChinese', Sample>> = {
  send: {
    command: 'SEND',
    headers: [
      'destination',
      '/app/conversations/7423418123419648',
      'receipt',
      'r-1042',
      'chain',
      '9f86d081884c7d65',
      'client-seq',
      '1042',
      'pre-id',
      '7423418123419911',
      'content-type',
      'application/json',
    ],
    body: JSON.stringify({ type: 'text', text: words.repeat(2).trim() }),
  },
  message: {
    command: 'MESSAGE',
    headers: [
      'subscription',
      'sub-0',
      'ack',
      '4711',
      'destination',
      '/user/queue/messages',
      'message-id',
      '7423418123419911',
      'conversation',
      '7423418123419648',
      'seq',
      '80211',
      'sender',
      '7423418123411000',
      'sender-device',
      '7423418123411001',
      'client-seq',
      '1042',
      'timestamp',
      '1795673101123',
      'content-type',
      'application/json',
    ],
    body: JSON.stringify({ type: 'text', text: words.repeat(2).trim() }),
  },
  ack: { command: 'ACK', headers: ['id', '4711'], body: '' },
  sendChinese: {
    command: 'SEND',
    headers: [
      'destination',
      '/app/conversations/7423418123419648',
      'receipt',
      'r-1042',
      'client-seq',
      '1042',
    ],
    body: JSON.stringify({ type: 'text', text: '今天天气很好,我们去公园散步吧。'.repeat(4) }),
  },
};

export const benchmark: Benchmark = {
  about:
    'STOMP frames per second through our codec: each in a WebSocket message of its own, all headers and the body read; ' +
    'encoded to a text; a MESSAGE encoded once and given to many. The yardstick is @stomp/stompjs on the same frames.',
  async run() {
    const figures: Record<string, unknown> = {};
    for (const [name, sample] of Object.entries(samples)) {
      const frame = encodeFrame(sample.command, sample.headers, sample.body);
      const bytes = utf8.encode(frame);
      const text = decodeUtf8.decode(bytes);
      figures[name] = {
        octets: bytes.length,
        decode: compare(ourDecoder(sample, text), theirParser(text)),
        decodeBinary: compare(ourDecoder(sample, bytes), theirParser(bytes)),
        encode: compare(
          () => flatten(encodeFrame(sample.command, sample.headers, sample.body)),
          theirSerializer(sample),
        ),
      };
    }
    figures['messageForMany'] = compare(ourShared(samples.message), theirSerializer(samples.message));
    return { ...figures, bytesPerIdleDecoder: idleDecoderBytes() };
  },
};

/** A text that was put together is a tree of its parts until somebody reads it, which a socket does. */
function flatten(text: string): number {
  return utf8.encodeInto(text, scratch).written;
}

function ourShared({ headers, body }: Sample): () => number {
  const [, subscription = '', , ack, ...others] = headers;
  const prefix = messagePrefix(subscription);
  const shared = SharedMessage.of(others, body);
  return () => flatten(shared.text(prefix, ack));
}

function idleDecoderBytes(): number {
  const count = 50_000;
  const decoders: StompDecoder[] = [];
  Bun.gc(true);
  const before = heapStats().heapSize;
  for (let i = 0; i < count; i++) {
    const decoder = new StompDecoder({ from: 'client' });
    decoder.push(`ACK\nid:${i}\n\n\0`);
    while (decoder.next() !== undefined);
    decoders.push(decoder);
  }
  Bun.gc(true);
  return Math.round((heapStats().heapSize - before) / decoders.length);
}

function ourDecoder(sample: Sample, message: string | Uint8Array): () => number {
  const decoder = new StompDecoder({ from: sample.command === 'MESSAGE' ? 'server' : 'client' });
  return () => {
    decoder.push(message);
    const frame = decoder.next();
    if (frame === undefined || decoder.next() !== undefined) throw new Error('one frame was expected');
    return frame.headers.length + frame.text.length;
  };
}

function theirParser(message: string | Uint8Array): () => number {
  let total = 0;
  const parser = new Parser(
    (raw) => {
      const frame = FrameImpl.fromRawFrame(raw, true);
      total = Object.keys(frame.headers).length + frame.body.length;
    },
    () => {},
  );
  const chunk = typeof message === 'string' ? message : (message.buffer as ArrayBuffer);
  return () => {
    parser.parseChunk(chunk);
    return total;
  };
}

function theirSerializer({ command, headers, body }: Sample): () => number {
  const named: Record<string, string> = {};
  for (let at = 0; at < headers.length; at += 2) named[headers[at] ?? ''] = headers[at + 1] ?? '';
  return () => {
    const frame = FrameImpl.marshall({ command, headers: named, body, escapeHeaderValues: true });
    return typeof frame === 'string' ? flatten(frame) : frame.byteLength;
  };
}

/** Rounds of both alternate, so that a busy moment of the machine meets both. The best round of each counts. */
function compare(ours: () => number, theirs: () => number) {
  let best = 0;
  let yardstick = 0;
  for (let round = 0; round < rounds; round++) {
    best = Math.max(best, perSecond(ours));
    yardstick = Math.max(yardstick, perSecond(theirs));
  }
  return {
    perSecond: Math.round(best),
    microseconds: Number((1_000_000 / best).toFixed(2)),
    stompjsPerSecond: Math.round(yardstick),
    ratio: Number((best / yardstick).toFixed(1)),
  };
}

function perSecond(work: () => number): number {
  const startMs = performance.now();
  let count = 0;
  let elapsedMs = 0;
  let check = 0;
  while (elapsedMs < roundMs) {
    for (let i = 0; i < stride; i++) check += work();
    count += stride;
    elapsedMs = performance.now() - startMs;
  }
  if (check === 0) throw new Error('nothing was done');
  return (count * 1_000) / elapsedMs;
}

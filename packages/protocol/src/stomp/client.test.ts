import { describe, expect, test } from 'bun:test';
import { Client, type IMessage, StompSocketState, Versions } from '@stomp/stompjs';
import { StompDecoder } from './decoder.ts';
import { EOL, encodeFrame } from './encoder.ts';
import { header, type StompFrame, type StompVersion } from './frame.ts';
import { formatHeartBeat, negotiateHeartBeat, parseHeartBeat } from './heart-beat.ts';
import { messagePrefix, SharedMessage } from './message.ts';
import { negotiateVersion, STOMP_VERSIONS } from './versions.ts';

const own = { canSendMs: 15_000, wantsMs: 20_000 };

/** A broker of one connection, in memory: what is sent to a destination comes back to who subscribed to it. */
class Socket {
  readonly url = 'memory:';
  readyState: number = StompSocketState.CONNECTING;
  binaryType?: string;
  onopen: (() => void) | null = null;
  onclose: ((event: unknown) => void) | null = null;
  onerror: ((event: unknown) => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;

  readonly received: StompFrame[] = [];
  readonly kinds = new Set<string>();
  readonly #decoder = new StompDecoder({ from: 'client' });
  readonly #subscriptions = new Map<string, string>();
  #sent = 0;

  constructor() {
    queueMicrotask(() => {
      this.readyState = StompSocketState.OPEN;
      this.onopen?.();
    });
  }

  send(data: string | ArrayBuffer | Uint8Array): void {
    this.kinds.add(typeof data === 'string' ? 'text' : 'bytes');
    this.#decoder.push(typeof data === 'string' ? data : new Uint8Array(data as ArrayBuffer));
    for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
      this.received.push(frame);
      this.#answer(frame, this.#decoder.version);
    }
  }

  close(): void {
    this.readyState = StompSocketState.CLOSED;
    queueMicrotask(() => this.onclose?.({ code: 1000 }));
  }

  #answer(frame: StompFrame, version: StompVersion): void {
    const value = (name: string) => header(frame, name) ?? '';
    if (frame.command === 'CONNECT') this.#connect(frame);
    if (frame.command === 'SUBSCRIBE')
      this.#subscriptions.set(value('destination'), messagePrefix(value('id'), version));
    if (frame.command === 'SEND') {
      this.#sent += 1;
      const prefix = this.#subscriptions.get(value('destination')) ?? '';
      const headers = [
        'destination',
        value('destination'),
        'message-id',
        `m-${this.#sent}`,
        'note',
        value('note'),
      ];
      this.#reply(EOL + SharedMessage.of(headers, frame.text).text(prefix, this.#sent, version));
    }
    const receipt = header(frame, 'receipt');
    if (receipt !== undefined) this.#reply(encodeFrame('RECEIPT', ['receipt-id', receipt], '', version));
  }

  #connect(frame: StompFrame): void {
    const version = negotiateVersion(header(frame, 'accept-version'));
    this.#decoder.version = version;
    const headers = ['version', version, 'heart-beat', formatHeartBeat(own)];
    this.#reply(encodeFrame('CONNECTED', headers, '', version));
  }

  #reply(data: string): void {
    queueMicrotask(() => this.onmessage?.({ data }));
  }
}

const options = [
  ['by default', {}],
  ['with bytes only', { forceBinaryWSFrames: true }],
  ['with large frames split', { splitLargeFrames: true, maxWebSocketChunkSize: 7 }],
] as const;

describe.each(STOMP_VERSIONS)('the client of @stomp/stompjs in %s', (version) => {
  test.each(options)('connects, subscribes, sends, acknowledges and leaves, %s', async (_, settings) => {
    let socket: Socket | undefined;
    const connected = Promise.withResolvers<void>();
    const delivered = Promise.withResolvers<IMessage>();
    const stored = Promise.withResolvers<void>();
    const client = new Client({
      ...settings,
      stompVersions: new Versions([version]),
      webSocketFactory: () => {
        socket = new Socket();
        return socket;
      },
      onConnect: () => connected.resolve(),
      onStompError: (frame) => connected.reject(new Error(frame.headers['message'])),
    });
    client.activate();
    await connected.promise;
    client.subscribe('/app/a', delivered.resolve, { ack: 'client' });
    client.watchForReceipt('r-1', () => stored.resolve());
    const note = version === '1.2' ? 'a:b\nc' : 'a-b';
    const body = 'Hello, 你好, é, NUL \0, \\n and : too';
    client.publish({ destination: '/app/a', headers: { receipt: 'r-1', note }, body });
    const message = await delivered.promise;
    await stored.promise;
    expect(message.body).toBe(body);
    expect(message.headers['note']).toBe(note);
    message.ack();
    await client.deactivate();

    const received = socket?.received ?? [];
    expect(received.map((frame) => frame.command)).toEqual([
      'CONNECT',
      'SUBSCRIBE',
      'SEND',
      'ACK',
      'DISCONNECT',
    ]);
    const [connect, , , ack] = received;
    expect(connect && header(connect, 'host')).toBeUndefined();
    expect(negotiateHeartBeat(own, parseHeartBeat(connect && header(connect, 'heart-beat')))).toEqual({
      sendEveryMs: 15_000,
      hearEveryMs: 20_000,
    });
    expect(ack && header(ack, version === '1.2' ? 'id' : 'message-id')).toBe(version === '1.2' ? '1' : 'm-1');
    expect([...(socket?.kinds ?? [])]).toEqual(['forceBinaryWSFrames' in settings ? 'bytes' : 'text']);
  });
});

import {
  CLOSE_CODES,
  EOL,
  encodeFrame,
  header,
  negotiateHeartBeat,
  parseHeartBeat,
  StompDecoder,
  StompFault,
  type StompFrame,
} from '@hvideo/protocol/stomp';
import { Acknowledgements } from './acknowledgements.ts';
import type { ChatLimits } from './options.ts';
import type { Outcome, Outgoing } from './outgoing.ts';
import {
  readEvent,
  readFailure,
  readGap,
  readMessage,
  readReceipt,
  readRefusal,
  sendHeaders,
  UnexpectedFrame,
} from './stomp-frames.ts';
import type { ChatSocket, ChatSurroundings } from './surroundings.ts';
import type { Transport, TransportEnd, TransportEvents } from './transport.ts';

export interface StompOptions {
  readonly url: string;
  readonly instance: string;
  readonly token: string | undefined;
  readonly limits: ChatLimits;
  readonly around: Pick<ChatSurroundings, 'openSocket' | 'setTimer' | 'random'>;
  readonly events: TransportEvents;
  /** Where else this device may go, as the server says. */
  readonly onAlternatives: (urls: readonly string[]) => void;
}

/** A server refuses more frames in one WebSocket message. */
const maxFramesPerMessage = 200;
const maxCharsPerMessage = 60_000;
const subscriptions = [
  ['errors', '/user/queue/errors', 'auto'],
  ['events', '/user/queue/events', 'auto'],
  ['messages', '/user/queue/messages', 'client'],
] as const;

/** One STOMP connection, from the handshake to its end. */
export class StompTransport implements Transport {
  readonly maxInFlight: number;
  deviceId = '';

  readonly #options: StompOptions;
  readonly #decoder = new StompDecoder({ from: 'server' });
  readonly #acks: Acknowledgements;
  readonly #receipts = new Map<number, (outcome: Outcome) => void>();
  readonly #timers = new Map<string, () => void>();
  readonly #socket: ChatSocket;
  #out: string[] = [];
  #nextReceipt = 1;
  #isReady = false;
  #hasEnded = false;
  #hasWritten = false;
  #hasHeard = false;
  #error: TransportEnd['failure'] | undefined;

  constructor(options: StompOptions) {
    this.#options = options;
    const { limits, around } = options;
    this.maxInFlight = limits.maxInFlight;
    this.#acks = new Acknowledgements(
      (id) => this.#write(encodeFrame('ACK', ['id', id])),
      (callback) => around.setTimer(limits.ackMs, callback),
    );
    this.#after('connect', limits.connectMs, () => this.#end('network', 'The server did not answer in time'));
    this.#socket = around.openSocket(options.url, ['v12.stomp'], {
      onOpen: () => this.#connect(),
      onMessage: (data) => this.#read(data),
      onClose: (code, reason) => this.#onClose(code, reason),
    });
  }

  send(message: Outgoing, preId: string | undefined, onOutcome: (outcome: Outcome) => void): void {
    if (this.#hasEnded) return;
    const receipt = this.#nextReceipt;
    this.#nextReceipt += 1;
    this.#receipts.set(receipt, onOutcome);
    if (!this.#timers.has('receipts')) this.#watchReceipts(0);
    this.#write(encodeFrame('SEND', sendHeaders(message, preId, String(receipt)), message.body));
  }

  close(): void {
    if (this.#isReady && !this.#hasEnded) {
      this.#acks.flush();
      this.#write(encodeFrame('DISCONNECT', []));
      this.#flush();
    }
    this.#end('closed', null);
  }

  #connect(): void {
    if (this.#hasEnded) return;
    const { instance, token, limits, url } = this.#options;
    const beat = `${limits.heartBeatMs},${limits.heartBeatMs}`;
    const login = token === undefined ? [] : ['passcode', token];
    const host = /^[a-z]+:\/\/([^/?#]*)/.exec(url)?.[1] ?? '/';
    const headers = [
      'accept-version',
      '1.2',
      'host',
      host,
      'heart-beat',
      beat,
      'device-id',
      instance,
      ...login,
    ];
    this.#socket.send(encodeFrame('CONNECT', headers));
  }

  #onClose(code: number, reason: string): void {
    const name = Object.entries(CLOSE_CODES).find(([, known]) => known === code)?.[0];
    const failure = this.#error ?? {
      code: name?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) ?? 'network',
      detail: reason || null,
    };
    this.#end(failure.code, failure.detail, code >= 4000 && code < 4500);
  }

  #end(code: string, detail: string | null, isFinal = false): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    this.#acks.stop();
    this.#receipts.clear();
    // In the constructor a failure may be told before there is a socket; it has nothing to close then.
    this.#socket?.close(1000, '');
    this.#options.events.onEnd({ failure: this.#error ?? { code, detail }, isFinal });
  }

  #read(data: string | Uint8Array): void {
    if (this.#hasEnded) return;
    this.#hasHeard = true;
    try {
      this.#decoder.push(data);
      for (let frame = this.#decoder.next(); frame !== undefined; frame = this.#decoder.next()) {
        this.#take(frame);
        if (this.#hasEnded) return;
      }
    } catch (error) {
      if (!(error instanceof UnexpectedFrame) && !(error instanceof StompFault)) throw error;
      this.#end('protocol', error.message);
    }
  }

  #take(frame: StompFrame): void {
    if (frame.command === 'ERROR') this.#error = readFailure(frame);
    else if (frame.command === 'CONNECTED') this.#onConnected(frame);
    else if (frame.command === 'RECEIPT') this.#resolve(frame, readReceipt);
    else if (header(frame, 'subscription') === 'messages') this.#deliver(frame);
    else if (header(frame, 'subscription') === 'events') this.#options.events.onEvent(readEvent(frame));
    else if (header(frame, 'subscription') === 'errors') this.#resolve(frame, readRefusal);
  }

  #onConnected(frame: StompFrame): void {
    if (this.#isReady) throw new UnexpectedFrame('CONNECTED twice');
    this.#isReady = true;
    this.#cancel('connect');
    this.deviceId = header(frame, 'device-id') ?? '';
    if (this.deviceId === '') throw new UnexpectedFrame('CONNECTED without device-id');
    const { limits, events, onAlternatives } = this.#options;
    const own = { canSendMs: limits.heartBeatMs, wantsMs: limits.heartBeatMs };
    const plan = negotiateHeartBeat(own, parseHeartBeat(header(frame, 'heart-beat')));
    if (plan.sendEveryMs > 0) this.#beat(plan.sendEveryMs);
    if (plan.hearEveryMs > 0) this.#listen(plan.hearEveryMs, 0);
    onAlternatives((header(frame, 'alternatives') ?? '').split(','));
    for (const [id, destination, ack] of subscriptions) {
      this.#write(encodeFrame('SUBSCRIBE', ['id', id, 'destination', destination, 'ack', ack]));
    }
    events.onReady(this);
  }

  #resolve(frame: StompFrame, readOutcome: (frame: StompFrame) => Outcome): void {
    const receipt = Number(header(frame, 'receipt-id'));
    const onOutcome = this.#receipts.get(receipt);
    if (onOutcome === undefined) return;
    this.#receipts.delete(receipt);
    onOutcome(readOutcome(frame));
  }

  #deliver(frame: StompFrame): void {
    const done = this.#acks.expect(header(frame, 'ack') ?? header(frame, 'message-id') ?? '');
    const { onDelivery } = this.#options.events;
    if (header(frame, 'type') === 'gap') onDelivery({ kind: 'gap', ...readGap(frame), done });
    else onDelivery({ kind: 'message', message: readMessage(frame), done });
  }

  #write(frame: string): void {
    if (this.#hasEnded) return;
    this.#out.push(frame);
    if (!this.#timers.has('gather')) {
      this.#after('gather', this.#options.limits.gatherMs, () => this.#flush());
    }
  }

  #flush(): void {
    this.#cancel('gather');
    const frames = this.#out;
    this.#out = [];
    let message = '';
    let count = 0;
    for (const frame of frames) {
      if (
        count === maxFramesPerMessage ||
        (count > 0 && message.length + frame.length > maxCharsPerMessage)
      ) {
        this.#socket.send(message);
        message = '';
        count = 0;
      }
      message += frame;
      count += 1;
    }
    if (message === '') return;
    this.#hasWritten = true;
    this.#socket.send(message);
  }

  /** Looked at twice in each interval, so that silence never lasts longer than the interval. */
  #beat(everyMs: number): void {
    this.#after('beat', everyMs * (0.4 + 0.09 * this.#options.around.random()), () => {
      if (!this.#hasWritten) this.#socket.send(EOL);
      this.#hasWritten = false;
      this.#beat(everyMs);
    });
  }

  /** Two intervals of silence: one is allowed for delay. */
  #listen(everyMs: number, silences: number): void {
    this.#after('listen', everyMs, () => {
      const count = this.#hasHeard ? 0 : silences + 1;
      this.#hasHeard = false;
      if (count >= 2) this.#end('network', 'Nothing was heard of the server');
      else this.#listen(everyMs, count);
    });
  }

  /** A receipt that was awaited at the previous look already, and by then for as long, does not come any more. */
  #watchReceipts(newestAtLastLook: number): void {
    const newest = this.#nextReceipt - 1;
    this.#after('receipts', this.#options.limits.receiptMs, () => {
      const [oldest] = this.#receipts.keys();
      if (oldest === undefined) return;
      if (oldest <= newestAtLastLook) this.#end('network', 'A receipt did not come');
      else this.#watchReceipts(newest);
    });
  }

  #after(name: string, ms: number, callback: () => void): void {
    this.#cancel(name);
    this.#timers.set(
      name,
      this.#options.around.setTimer(ms, () => {
        this.#timers.delete(name);
        callback();
      }),
    );
  }

  #cancel(name: string): void {
    this.#timers.get(name)?.();
    this.#timers.delete(name);
  }
}

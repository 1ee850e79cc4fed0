import {
  CLOSE_CODES,
  type CloseCode,
  closeCodeOfFault,
  encodeFrame,
  formatHeartBeat,
  header,
  negotiateHeartBeat,
  negotiateVersion,
  parseHeartBeat,
  type StompDecoder,
  StompFault,
  type StompFrame,
  type StompVersion,
} from '@hvideo/protocol/stomp';
import type {
  AckMode,
  Attachment,
  DownlinkListener,
  Notice,
  Run,
} from '../../features/chat/delivery/index.ts';
import type { AppError } from '../../kernel/errors.ts';
import { WheelEntry } from '../../kernel/timing-wheel.ts';
import type { Device } from '../../ports/device-store/port.ts';
import type { Viewer } from '../http/route.ts';
import type { ServerSocket, SocketEnd } from '../http/sockets.ts';
import {
  errorText,
  gapText,
  jsonText,
  noticeText,
  problem,
  type Refusal,
  readAck,
  receiptText,
  refusalOf,
  runText,
} from './frames.ts';
import type { ConnectionHost } from './host.ts';
import { frameLimit, gatewayLimits as limits, maxRefusalsInRow } from './limits.ts';
import { type Credentials, crowded, loginOf, type Refused, refusedBy, unauthenticated } from './log-in.ts';
import { submitSend } from './sending.ts';
import { Subscriptions } from './subscriptions.ts';

type State = 'new' | 'connecting' | 'open' | 'closing' | 'closed';

/**
 * One STOMP connection: what it may do, what is under way, and what waits to be written. It is an entry of the timing wheel itself,
 * at the next moment at which something of it is due. There are many thousands: nothing is kept here that most do not need.
 */
export class Connection extends WheelEntry implements DownlinkListener, SocketEnd {
  readonly host: ConnectionHost;
  readonly address: string;
  viewer: Viewer | undefined = undefined;
  device: Device | undefined = undefined;
  version: StompVersion = '1.2';
  sendsUnderWay = 0;
  rpcUnderWay = 0;
  /** It waits for the end of the turn with what is to be written. */
  isDirty = false;
  #socket: ServerSocket | undefined = undefined;
  #state: State = 'new';
  #credentials: Credentials;
  /** Only while the rest of a frame is missing, or frames wait for CONNECT to be answered. */
  #decoder: StompDecoder | undefined = undefined;
  #partialSinceMs = 0;
  #attachment: Attachment | undefined = undefined;
  readonly #subscribed = new Subscriptions();
  #out = '';
  #kept: Refusal[] | undefined = undefined;
  #openedMs: number;
  #heardMs: number;
  #wroteMs = 0;
  #hearEveryMs = 0;
  #sendEveryMs = 0;
  #expiresMs = Number.POSITIVE_INFINITY;
  #slowSinceMs = 0;
  #closeMs = 0;
  #tokens = frameLimit.burst;
  #tokensMs: number;
  #refusalsInRow = 0;
  /** Receipt of a DISCONNECT that waits for the sends under way; '' without one. */
  #farewell: string | undefined = undefined;

  constructor(host: ConnectionHost, address: string, credentials: Credentials) {
    super();
    this.host = host;
    this.address = address;
    this.#credentials = credentials;
    const nowMs = host.clock.monotonicMs();
    this.#openedMs = nowMs;
    this.#heardMs = nowMs;
    this.#tokensMs = nowMs;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  // The socket's end.

  opened(socket: ServerSocket): void {
    this.#socket = socket;
    // It was turned away before there was a socket to say so.
    if (this.#state === 'closing') {
      this.flush();
      return;
    }
    if (!this.host.wheel.schedule(this, limits.connectWithinMs))
      this.close(CLOSE_CODES.overloaded, 'no room');
  }

  received(data: string | Uint8Array): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#heardMs = this.host.clock.monotonicMs();
    this.host.counts.messages += 1;
    const decoder = this.#decoder ?? this.host.takeDecoder(this.version);
    try {
      decoder.push(data);
      this.#read(decoder);
    } catch (error) {
      if (!(error instanceof StompFault)) throw error;
      this.#decoder = undefined;
      this.fail(error.code, error.message, undefined, closeCodeOfFault(error.code));
    }
  }

  drained(): void {
    this.#checkSlow();
  }

  closed(code: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.host.wheel.cancel(this);
    this.#attachment?.detach();
    this.#attachment = undefined;
    this.#decoder = undefined;
    this.#kept = undefined;
    this.#out = '';
    this.#socket = undefined;
    this.host.gone(this, code);
  }

  // Frames.

  /** Whatever frames are there, until one has to be waited for. */
  #read(decoder: StompDecoder): void {
    let useful = 0;
    let frames = 0;
    while (this.#state === 'new' || this.#state === 'open') {
      const frame = decoder.next();
      if (frame === undefined) break;
      frames += 1;
      useful += this.#take(frame, decoder);
    }
    this.host.counts.frames += frames;
    this.#keep(decoder);
    this.#charge(Math.max(1, frames) - useful);
  }

  /** One that holds nothing serves the next connection. */
  #keep(decoder: StompDecoder): void {
    const isWaiting = this.#state === 'connecting';
    if (isWaiting || decoder.bufferedBytes > 0) {
      this.#decoder = decoder;
      if (!isWaiting && this.#partialSinceMs === 0) this.#due(limits.frameWithinMs);
      if (!isWaiting && this.#partialSinceMs === 0) this.#partialSinceMs = this.#heardMs;
      return;
    }
    this.#decoder = undefined;
    this.#partialSinceMs = 0;
    if (this.#state === 'open' || this.#state === 'new') this.host.giveDecoder(decoder);
  }

  /** A token bucket without a timer: whoever sends what nobody needs, faster than anybody has to, is cut off. */
  #charge(cost: number): void {
    if (cost <= 0 || !this.host.hasLimits) return;
    const nowMs = this.#heardMs;
    const { burst, perSecond } = frameLimit;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#tokensMs) / 1000) * perSecond) - cost;
    this.#tokensMs = nowMs;
    if (this.#tokens < 0) this.fail('rate-limited', 'too many frames', undefined, CLOSE_CODES.flooding);
  }

  /** Answers 1 for an acknowledgement of something, which is for free. */
  #take(frame: StompFrame, decoder: StompDecoder): number {
    const { command } = frame;
    if (this.#state === 'new') {
      if (command === 'CONNECT' || command === 'STOMP') this.#connect(frame, decoder);
      else this.fail('not-connected', `${command} before CONNECT`, header(frame, 'receipt'));
      return 0;
    }
    if (command === 'SEND') submitSend(this, frame);
    else if (command === 'ACK') return this.#acknowledge(frame);
    else if (command === 'NACK') this.#refuseDelivery(frame);
    else if (command === 'SUBSCRIBE') this.#subscribe(frame);
    else if (command === 'UNSUBSCRIBE') this.#unsubscribe(frame);
    else if (command === 'DISCONNECT') this.#disconnect(frame);
    else if (command === 'CONNECT' || command === 'STOMP')
      this.fail('already-connected', `a second ${command}`, header(frame, 'receipt'));
    else this.fail('transactions-unsupported', `${command} is not supported`, header(frame, 'receipt'));
    return 0;
  }

  #connect(frame: StompFrame, decoder: StompDecoder): void {
    const version = negotiateVersion(header(frame, 'accept-version'));
    const own = { canSendMs: limits.heartBeatMs, wantsMs: limits.heartBeatMs };
    const plan = negotiateHeartBeat(own, parseHeartBeat(header(frame, 'heart-beat')));
    const instance = header(frame, 'device-id') ?? '';
    if (!/^[A-Za-z0-9_-]{0,64}$/.test(instance)) {
      this.fail('invalid-device-id', 'device-id must be 1 to 64 of A-Z a-z 0-9 _ -', undefined);
      return;
    }
    this.version = version;
    decoder.version = version;
    this.#hearEveryMs = plan.hearEveryMs;
    this.#sendEveryMs = plan.sendEveryMs;
    this.#state = 'connecting';
    void this.#login(header(frame, 'passcode'), instance);
  }

  async #login(passcode: string | undefined, instance: string): Promise<void> {
    try {
      const login = await loginOf(this.host, this.#credentials, passcode);
      this.#credentials = undefined;
      if (this.#state !== 'connecting') return;
      if (!login) {
        this.#turnAway(unauthenticated);
        return;
      }
      if (!this.host.admit(this, login.viewer)) {
        this.#turnAway(crowded);
        return;
      }
      this.viewer = login.viewer;
      this.#expiresMs = login.expiresMs;
      const device = await this.host.chat.devices.register(login.viewer, instance);
      if (this.#state === 'connecting') this.#connected(device);
    } catch (error) {
      if (this.#state === 'connecting') this.#turnAway(refusedBy(this.host, error));
    }
  }

  #turnAway({ code, detail, closeCode }: Refused): void {
    this.fail(code, detail, undefined, closeCode);
  }

  #connected(device: Device): void {
    this.device = device;
    this.#attachment = this.host.chat.delivery.attach(device, this);
    const alternatives = this.host.chat.delivery.alternatives();
    const headers = ['version', this.version, 'server', this.host.server, 'session', this.host.nextSession()];
    headers.push(
      'heart-beat',
      formatHeartBeat({ canSendMs: limits.heartBeatMs, wantsMs: limits.heartBeatMs }),
    );
    headers.push('user-name', device.accountId, 'device-id', device.id, 'node', this.host.node);
    if (alternatives.length > 0) headers.push('alternatives', alternatives.join(','));
    this.write(encodeFrame('CONNECTED', headers, '', this.version));
    this.#state = 'open';
    this.#heardMs = this.host.clock.monotonicMs();
    this.#plan();
    const decoder = this.#decoder;
    if (!decoder) return;
    // What came behind CONNECT.
    this.#decoder = undefined;
    try {
      this.#read(decoder);
    } catch (error) {
      if (!(error instanceof StompFault)) throw error;
      this.fail(error.code, error.message, undefined, closeCodeOfFault(error.code));
    }
  }

  #subscribe(frame: StompFrame): void {
    const receipt = header(frame, 'receipt');
    const wanted = this.#subscribed.read(frame, this.version);
    if ('code' in wanted) {
      this.fail(wanted.code, wanted.detail, receipt);
      return;
    }
    this.#subscribed.add(wanted, this.version);
    this.receipt(receipt);
    if (wanted.queue === 'messages') this.#openMessages(wanted.ack);
    else if (wanted.queue === 'errors') this.#writeKept();
  }

  #openMessages(mode: AckMode): void {
    this.#attachment?.open(mode).catch((error: unknown) => {
      this.host.log.warn({ err: error }, 'pending messages were not read');
      this.close(CLOSE_CODES.internal, 'pending messages were not read');
    });
  }

  #unsubscribe(frame: StompFrame): void {
    if (this.#subscribed.end(frame, this.version) === 'messages') this.#attachment?.close();
    this.receipt(header(frame, 'receipt'));
  }

  #acknowledge(frame: StompFrame): number {
    const attachment = this.#attachment;
    const id = header(frame, this.version === '1.2' ? 'id' : 'message-id');
    if (id === undefined || header(frame, 'transaction') !== undefined) {
      this.fail(
        id === undefined ? 'missing-header' : 'transactions-unsupported',
        'ACK',
        header(frame, 'receipt'),
      );
      return 0;
    }
    const named = readAck(id);
    const before = attachment?.unacknowledged ?? 0;
    if (named) attachment?.ack(named.conversationId, named.seq);
    this.receipt(header(frame, 'receipt'));
    return (attachment?.unacknowledged ?? 0) < before ? 1 : 0;
  }

  /** It was not accepted: it stays unacknowledged, and comes again with the next subscription. */
  #refuseDelivery(frame: StompFrame): void {
    this.receipt(header(frame, 'receipt'));
  }

  /** Its receipt says that everything before has been dealt with. */
  #disconnect(frame: StompFrame): void {
    this.#farewell = header(frame, 'receipt') ?? '';
    this.#attachment?.close();
    if (this.sendsUnderWay === 0) this.#leave();
    else this.#due(limits.drainSendsMs);
  }

  #leave(): void {
    if (this.#farewell) this.write(receiptText(this.#farewell, this.version));
    this.close(1000, '');
  }

  /** A send was answered. */
  settled(): void {
    this.sendsUnderWay -= 1;
    if (this.sendsUnderWay === 0 && this.#farewell !== undefined && this.#state === 'open') this.#leave();
  }

  // What is written.

  receipt(id: string | undefined): void {
    if (id !== undefined) this.write(receiptText(id, this.version));
  }

  write(text: string): void {
    if (this.#state === 'closed') return;
    this.#out += text;
    if (this.isDirty) return;
    this.isDirty = true;
    this.host.soon(this);
  }

  /** Everything of this turn goes as one WebSocket message. */
  flush(): void {
    this.isDirty = false;
    const socket = this.#socket;
    const text = this.#out;
    if (!socket || text === '') return;
    this.#out = '';
    this.#wroteMs = this.host.nowMs;
    if (socket.send(text) <= 0) this.#checkSlow();
    if (this.#state === 'closing') this.#end();
  }

  messages(run: Run): void {
    const { messages } = this.#subscribed;
    if (messages) this.write(run.text(messages, runText));
  }

  gap(conversationId: string, fromSeq: number, toSeq: number): void {
    const { messages } = this.#subscribed;
    if (messages) this.write(gapText(messages, conversationId, fromSeq, toSeq));
  }

  notice(notice: Notice): void {
    const { events } = this.#subscribed;
    if (!events) return;
    // Marks are for those who see them at once.
    if (this.#slowSinceMs > 0 && notice.content.kind === 'mark') return;
    this.write(notice.text(events, noticeText));
  }

  displaced(): void {
    this.fail(
      'displaced',
      'a newer connection of this device has taken over',
      undefined,
      CLOSE_CODES.displaced,
    );
  }

  move(withinMs: number, alternatives: readonly string[]): void {
    const { events } = this.#subscribed;
    if (!events) return;
    const body = JSON.stringify({ kind: 'move', withinMs, alternatives });
    this.write(jsonText(events, 'events', body, []));
  }

  reply(body: string, headers: readonly string[]): void {
    const { replies } = this.#subscribed;
    if (replies) this.write(jsonText(replies, 'replies', body, headers));
    else this.refuse(problem('invalid-request', 'Subscribe to /user/queue/replies first'), []);
  }

  /** What was asked for is refused; the connection goes on. Kept until somebody listens. */
  refuse(error: AppError, headers: readonly string[]): void {
    if (this.#state !== 'open') return;
    const refusal = refusalOf(error, headers);
    if (error.code !== 'rate-limited') this.#refusalsInRow = 0;
    else if (++this.#refusalsInRow > maxRefusalsInRow) {
      this.fail('rate-limited', 'it goes on after refusals', undefined, CLOSE_CODES.flooding);
      return;
    }
    const { errors } = this.#subscribed;
    if (errors) this.write(jsonText(errors, 'errors', refusal.body, refusal.headers));
    else {
      this.#kept ??= [];
      if (this.#kept.length >= limits.maxErrorsKept) this.#kept.shift();
      this.#kept.push(refusal);
    }
  }

  #writeKept(): void {
    const { errors } = this.#subscribed;
    const kept = this.#kept;
    this.#kept = undefined;
    for (const { body, headers } of kept ?? [])
      if (errors) this.write(jsonText(errors, 'errors', body, headers));
  }

  /** An ERROR frame, and the end. */
  fail(
    code: string,
    detail: string | undefined,
    receiptId: string | undefined,
    closeCode: CloseCode = CLOSE_CODES.protocolFault,
  ): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.write(errorText(code, detail, receiptId, this.version));
    this.close(closeCode, code);
  }

  #closeCode = 1000;
  #closeReason = '';

  close(code: number, reason: string): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#state = 'closing';
    this.#closeCode = code;
    this.#closeReason = reason;
    this.#attachment?.detach();
    this.#attachment = undefined;
    if (!this.isDirty) this.#end();
  }

  /** With the last frame. Who does not answer to the close is cut off. */
  #end(): void {
    this.#closeMs = this.host.clock.monotonicMs();
    this.#due(2_000);
    this.#socket?.close(this.#closeCode, this.#closeReason.slice(0, 100));
  }

  // Time.

  #checkSlow(): void {
    const socket = this.#socket;
    if (!socket) return;
    const buffered = socket.getBufferedAmount();
    if (buffered > limits.maxBufferedBytes) {
      this.#cutOff();
    } else if (buffered > limits.pauseAboveBytes) {
      if (this.#slowSinceMs > 0) return;
      this.#slowSinceMs = Math.max(1, this.host.clock.monotonicMs());
      this.#attachment?.pause();
      this.#due(limits.slowForMs);
    } else if (this.#slowSinceMs > 0 && buffered <= limits.resumeBelowBytes) {
      this.#slowSinceMs = 0;
      this.#attachment?.resume();
    }
  }

  /** It would not read a reason either. */
  #cutOff(): void {
    this.close(CLOSE_CODES.tooSlow, 'too slow');
    this.#socket?.terminate();
  }

  get isSlow(): boolean {
    return this.#slowSinceMs > 0;
  }

  /** No later than in `ms`. */
  #due(ms: number): void {
    this.host.wheel.schedule(this, ms);
  }

  /** Looks for what is due, does it, and waits for what comes next. */
  expire(): void {
    const nowMs = this.host.clock.monotonicMs();
    if (this.#state === 'closed') return;
    if (this.#state === 'closing') {
      if (this.#closeMs > 0 && nowMs - this.#closeMs >= 2_000) this.#socket?.terminate();
      else this.#due(2_000);
      return;
    }
    if (this.#state !== 'open') {
      if (nowMs - this.#openedMs >= limits.connectWithinMs)
        this.fail('timeout', 'CONNECT did not come in time', undefined, CLOSE_CODES.timedOut);
      else this.#due(limits.connectWithinMs);
      return;
    }
    if (this.#expiresMs <= this.host.clock.nowMs()) {
      this.fail('token-expired', 'renew the access token', undefined, CLOSE_CODES.tokenExpired);
      return;
    }
    if (this.#slowSinceMs > 0 && nowMs - this.#slowSinceMs >= limits.slowForMs) {
      this.#cutOff();
      return;
    }
    if (this.#partialSinceMs > 0 && nowMs - this.#partialSinceMs >= limits.frameWithinMs) {
      this.fail('timeout', 'the rest of a frame did not come', undefined, CLOSE_CODES.timedOut);
      return;
    }
    if (this.#farewell !== undefined) {
      this.#leave();
      return;
    }
    const deafAfterMs = this.#hearEveryMs * limits.heartBeatTolerance;
    if (this.#hearEveryMs > 0 && nowMs - this.#heardMs >= deafAfterMs) {
      this.fail('heart-beat-missed', 'nothing was heard', undefined, CLOSE_CODES.heartBeatMissed);
      return;
    }
    if (this.#sendEveryMs > 0 && nowMs - this.#wroteMs >= this.#sendEveryMs * 0.7) this.write('\n');
    this.#plan();
  }

  #plan(): void {
    let ms = Math.min(this.#expiresMs - this.host.clock.nowMs(), 86_400_000);
    // Some earlier than agreed, so that a slow line delays no heart-beat over the time.
    if (this.#sendEveryMs > 0) ms = Math.min(ms, this.#sendEveryMs * 0.4);
    if (this.#hearEveryMs > 0) ms = Math.min(ms, this.#hearEveryMs);
    if (this.#slowSinceMs > 0) ms = Math.min(ms, limits.slowForMs / 4);
    if (this.#partialSinceMs > 0) ms = Math.min(ms, limits.frameWithinMs / 2);
    this.host.wheel.cancel(this);
    this.host.wheel.schedule(this, Math.max(100, ms));
  }
}

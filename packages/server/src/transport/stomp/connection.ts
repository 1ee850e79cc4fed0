import {
  CLOSE_CODES,
  encodeFrame,
  formatHeartBeat,
  header,
  negotiateHeartBeat,
  negotiateVersion,
  parseHeartBeat,
  type StompDecoder,
  type StompFrame,
} from '@hvideo/protocol/stomp';
import type {
  AckMode,
  Attachment,
  DownlinkListener,
  Notice,
  Run,
} from '../../features/chat/delivery/index.ts';
import type { AppError } from '../../kernel/errors.ts';
import type { Device } from '../../ports/device-store/port.ts';
import type { Viewer } from '../http/route.ts';
import { carryOut, type Member } from './commands.ts';
import { isStuck, lookAgainInMs, overdueOf, owesHeartBeat, type Times } from './deadlines.ts';
import { gapText, jsonText, noticeText, problem, refusalOf, runText } from './frames.ts';
import type { ConnectionHost } from './host.ts';
import { Intake } from './intake.ts';
import { gatewayLimits as limits } from './limits.ts';
import { type Credentials, crowded, loginOf, type Refused, refusedBy, unauthenticated } from './log-in.ts';
import { Refusals } from './refusals.ts';
import { Subscriptions } from './subscriptions.ts';

/** A DISCONNECT that waits for the sends under way. */
interface Farewell {
  readonly receiptId: string | undefined;
  readonly untilMs: number;
}

/** One STOMP connection: how it is let in, what it listens to, and what is under way for it. */
export class Connection extends Intake implements DownlinkListener, Member, Times {
  viewer: Viewer | undefined = undefined;
  device: Device | undefined = undefined;
  attachment: Attachment | undefined = undefined;
  readonly subscribed = new Subscriptions();
  sendsUnderWay = 0;
  rpcUnderWay = 0;
  hearEveryMs = 0;
  sendEveryMs = 0;
  expiresMs = Number.POSITIVE_INFINITY;
  #credentials: Credentials;
  readonly #openedMs: number;
  #refusals: Refusals | undefined = undefined;
  #farewell: Farewell | undefined = undefined;

  constructor(host: ConnectionHost, address: string, credentials: Credentials) {
    super(host, address);
    this.#credentials = credentials;
    this.#openedMs = this.heardMs;
  }

  protected take(frame: StompFrame, decoder: StompDecoder): number {
    const { command } = frame;
    // After DISCONNECT nothing may come: what does is not answered.
    if (this.#farewell) return 0;
    if (this.state !== 'new') return carryOut(this, frame);
    if (command === 'CONNECT' || command === 'STOMP') this.#connect(frame, decoder);
    else this.fail('not-connected', `${command} before CONNECT`, header(frame, 'receipt'));
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
    this.hearEveryMs = plan.hearEveryMs;
    this.sendEveryMs = plan.sendEveryMs;
    this.state = 'connecting';
    void this.#login(header(frame, 'passcode'), instance);
  }

  async #login(passcode: string | undefined, instance: string): Promise<void> {
    try {
      const login = await loginOf(this.host, this.#credentials, passcode);
      this.#credentials = undefined;
      if (this.state !== 'connecting') return;
      if (!login) {
        this.#turnAway(unauthenticated);
        return;
      }
      if (!this.host.admit(this, login.viewer)) {
        this.#turnAway(crowded);
        return;
      }
      this.viewer = login.viewer;
      this.expiresMs = login.expiresMs;
      const device = await this.host.chat.devices.register(login.viewer, instance);
      if (this.state === 'connecting') this.#connected(device);
    } catch (error) {
      if (this.state === 'connecting') this.#turnAway(refusedBy(this.host, error));
    }
  }

  #turnAway({ code, detail, closeCode }: Refused): void {
    this.fail(code, detail, undefined, closeCode);
  }

  #connected(device: Device): void {
    this.device = device;
    this.attachment = this.host.chat.delivery.attach(device, this);
    const alternatives = this.host.chat.delivery.alternatives();
    const headers = ['version', this.version, 'server', this.host.server, 'session', this.host.nextSession()];
    headers.push(
      'heart-beat',
      formatHeartBeat({ canSendMs: limits.heartBeatMs, wantsMs: limits.heartBeatMs }),
    );
    headers.push('user-name', device.accountId, 'device-id', device.id, 'node', this.host.node);
    if (alternatives.length > 0) headers.push('alternatives', alternatives.join(','));
    this.write(encodeFrame('CONNECTED', headers, '', this.version));
    this.state = 'open';
    this.heardMs = this.host.clock.monotonicMs();
    this.#plan();
    this.readWaiting();
  }

  openMessages(mode: AckMode): void {
    const { device, host } = this;
    if (device && host.hasLimits && host.takeOpen(device.accountId) > 0) {
      this.fail('rate-limited', 'too many subscriptions', undefined, CLOSE_CODES.overloaded);
      return;
    }
    this.attachment?.open(mode).catch((error: unknown) => {
      this.host.log.warn({ err: error }, 'pending messages were not read');
      this.close(CLOSE_CODES.internal, 'pending messages were not read');
    });
  }

  /** Its receipt says that everything before has been dealt with. */
  disconnect(receiptId: string | undefined): void {
    this.#farewell = { receiptId, untilMs: this.heardMs + limits.drainSendsMs };
    this.attachment?.close();
    if (this.sendsUnderWay === 0) this.#leave();
    else this.due(limits.drainSendsMs);
  }

  #leave(): void {
    this.receipt(this.#farewell?.receiptId);
    this.close(1000, '');
  }

  /** A send was answered. */
  settled(): void {
    this.sendsUnderWay -= 1;
    if (this.sendsUnderWay === 0 && this.#farewell !== undefined && this.isOpen) this.#leave();
  }

  protected released(): void {
    this.attachment?.detach();
    this.attachment = undefined;
    this.#refusals = undefined;
  }

  protected paused(isPaused: boolean): void {
    if (isPaused) this.attachment?.pause();
    else this.attachment?.resume();
  }

  messages(run: Run): void {
    const { messages } = this.subscribed;
    if (messages) this.write(run.text(messages, runText));
  }

  gap(conversationId: string, fromSeq: number, toSeq: number): void {
    const { messages } = this.subscribed;
    if (messages) this.write(gapText(messages, conversationId, fromSeq, toSeq));
  }

  notice(notice: Notice): void {
    const { events } = this.subscribed;
    if (!events) return;
    // Marks are for those who see them at once.
    if (this.isSlow && notice.content.kind === 'mark') return;
    this.write(notice.text(events, noticeText));
  }

  displaced(): void {
    const detail = 'a newer connection of this device has taken over';
    this.fail('displaced', detail, undefined, CLOSE_CODES.displaced);
  }

  move(withinMs: number, alternatives: readonly string[]): void {
    const { events } = this.subscribed;
    if (!events) return;
    const body = JSON.stringify({ kind: 'move', withinMs, alternatives });
    this.write(jsonText(events, 'events', body, []));
  }

  reply(body: string, headers: readonly string[]): void {
    const { replies } = this.subscribed;
    if (replies) this.write(jsonText(replies, 'replies', body, headers));
    else this.refuse(problem('invalid-request', 'Subscribe to /user/queue/replies first'), []);
  }

  /** What was asked for is refused; the connection goes on. Kept until somebody listens. */
  refuse(error: AppError, headers: readonly string[]): void {
    if (!this.isOpen) return;
    this.#refusals ??= new Refusals();
    if (!this.#refusals.count(error)) {
      this.fail('rate-limited', 'it goes on after refusals', undefined, CLOSE_CODES.flooding);
      return;
    }
    this.#refusals.keep(refusalOf(error, headers));
    this.writeKept();
  }

  keptLimits(): void {
    this.#refusals?.makeUp();
  }

  writeKept(): void {
    const { errors } = this.subscribed;
    if (!errors || !this.#refusals) return;
    for (const { body, headers } of this.#refusals.take())
      this.write(jsonText(errors, 'errors', body, headers));
  }

  protected look(nowMs: number): void {
    const unixMs = this.host.clock.nowMs();
    if (!this.isOpen) {
      if (nowMs - this.#openedMs >= limits.connectWithinMs)
        this.fail('timeout', 'CONNECT did not come in time', undefined, CLOSE_CODES.timedOut);
      else this.due(limits.connectWithinMs);
      return;
    }
    const overdue = overdueOf(this, nowMs, unixMs);
    if (isStuck(this, nowMs)) this.cutOff();
    else if (this.#farewell && nowMs >= this.#farewell.untilMs) this.#leave();
    else if (overdue) this.fail(overdue[0], overdue[1], undefined, overdue[2]);
    else {
      if (owesHeartBeat(this, nowMs)) this.write('\n');
      this.#plan();
    }
  }

  #plan(): void {
    this.host.wheel.cancel(this);
    this.host.wheel.schedule(this, lookAgainInMs(this, this.host.clock.nowMs()));
    if (this.#farewell) this.due(this.#farewell.untilMs - this.host.clock.monotonicMs());
  }
}

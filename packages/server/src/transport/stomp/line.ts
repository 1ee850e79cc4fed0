import { CLOSE_CODES, type CloseCode, type StompVersion } from '@hvideo/protocol/stomp';
import { WheelEntry } from '../../kernel/timing-wheel.ts';
import type { ServerSocket, SocketEnd } from '../http/sockets.ts';
import { errorText, receiptText } from './frames.ts';
import type { ConnectionHost } from './host.ts';
import { gatewayLimits as limits } from './limits.ts';

export type State = 'new' | 'connecting' | 'open' | 'closing' | 'closed';

/** Who does not answer to a close within so long is cut off. */
const closeWithinMs = 2_000;

/**
 * The socket of a connection: what waits to be written, whether it takes that, and how it ends. It is an entry of the timing wheel
 * itself, at the next moment at which something of it is due. There are many thousands: nothing is kept here that most do not need.
 */
export abstract class Line extends WheelEntry implements SocketEnd {
  readonly host: ConnectionHost;
  readonly address: string;
  version: StompVersion = '1.2';
  /** It waits for the end of the turn with what is to be written. */
  isDirty = false;
  wroteMs = 0;
  /** Since when its socket takes no more; 0: it takes it. */
  slowSinceMs = 0;
  protected state: State = 'new';
  #socket: ServerSocket | undefined = undefined;
  #out = '';
  #closeMs = 0;
  #closeCode = 1000;
  #closeReason = '';

  constructor(host: ConnectionHost, address: string) {
    super();
    this.host = host;
    this.address = address;
  }

  abstract received(data: string | Uint8Array): void;
  /** Nothing is delivered to it any more; may be called again. */
  protected abstract released(): void;
  /** Its socket takes no more, or takes it again. */
  protected abstract paused(isPaused: boolean): void;

  get isOpen(): boolean {
    return this.state === 'open';
  }

  get isSlow(): boolean {
    return this.slowSinceMs > 0;
  }

  get isEnding(): boolean {
    return this.state === 'closing' || this.state === 'closed';
  }

  opened(socket: ServerSocket): void {
    this.#socket = socket;
    // It was turned away before there was a socket to say so.
    if (this.state === 'closing') {
      this.flush();
      return;
    }
    if (!this.host.wheel.schedule(this, limits.connectWithinMs))
      this.close(CLOSE_CODES.overloaded, 'no room');
  }

  drained(): void {
    this.#checkSlow();
  }

  closed(code: number): void {
    if (this.state === 'closed') return;
    this.state = 'closed';
    this.host.wheel.cancel(this);
    this.released();
    this.#out = '';
    this.#socket = undefined;
    this.host.gone(this, code);
  }

  receipt(id: string | undefined): void {
    if (id !== undefined) this.write(receiptText(id, this.version));
  }

  write(text: string): void {
    if (this.state === 'closed') return;
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
    this.wroteMs = this.host.nowMs;
    if (socket.send(text) <= 0) this.#checkSlow();
    if (this.state === 'closing') this.#end();
  }

  /** An ERROR frame, and the end. */
  fail(
    code: string,
    detail: string | undefined,
    receiptId: string | undefined,
    closeCode: CloseCode = CLOSE_CODES.protocolFault,
  ): void {
    if (this.isEnding) return;
    this.write(errorText(code, detail, receiptId, this.version));
    this.close(closeCode, code);
  }

  close(code: number, reason: string): void {
    if (this.isEnding) return;
    this.state = 'closing';
    this.#closeCode = code;
    this.#closeReason = reason;
    this.released();
    if (!this.isDirty) this.#end();
  }

  /** With the last frame. */
  #end(): void {
    this.#closeMs = this.host.clock.monotonicMs();
    this.due(closeWithinMs);
    this.#socket?.close(this.#closeCode, this.#closeReason.slice(0, 100));
  }

  /** It would not read a reason either. */
  protected cutOff(): void {
    this.close(CLOSE_CODES.tooSlow, 'too slow');
    this.#socket?.terminate();
  }

  /** No later than in `ms`. */
  protected due(ms: number): void {
    this.host.wheel.hasten(this, ms);
  }

  /** Looks for what is due, does it, and waits for what comes next. */
  expire(): void {
    const nowMs = this.host.clock.monotonicMs();
    if (this.state === 'closed') return;
    if (this.state !== 'closing') this.look(nowMs);
    else if (this.#closeMs > 0 && nowMs - this.#closeMs >= closeWithinMs) this.#socket?.terminate();
    else this.due(closeWithinMs);
  }

  /** What `expire` does before the end. */
  protected abstract look(nowMs: number): void;

  #checkSlow(): void {
    const socket = this.#socket;
    if (!socket) return;
    const buffered = socket.getBufferedAmount();
    if (buffered > limits.maxBufferedBytes) {
      this.cutOff();
    } else if (buffered > limits.pauseAboveBytes) {
      if (this.slowSinceMs > 0) return;
      this.slowSinceMs = Math.max(1, this.host.clock.monotonicMs());
      this.paused(true);
      this.due(limits.slowForMs);
    } else if (this.slowSinceMs > 0 && buffered <= limits.resumeBelowBytes) {
      this.slowSinceMs = 0;
      this.paused(false);
    }
  }
}

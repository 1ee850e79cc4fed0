import { StompDecoder } from './decoder.ts';
import { encodeHeaders, textTail } from './encoder.ts';
import { escapeHeader, escapesOf } from './escapes.ts';
import type { StompHeaders, StompVersion } from './frame.ts';
import type { StompLimits } from './limits.ts';
import { encodeUtf8 } from './octets.ts';

/** The tail was made by ourselves, so that it needs no limit. */
const ownLimits: StompLimits = {
  maxHeaders: Number.POSITIVE_INFINITY,
  maxHeaderLineBytes: Number.POSITIVE_INFINITY,
  maxHeaderBytes: Number.POSITIVE_INFINITY,
  maxBodyBytes: Number.POSITIVE_INFINITY,
  maxBufferedBytes: Number.POSITIVE_INFINITY,
  maxFramesPerPush: 1,
};

/**
 * A MESSAGE for many subscriptions. Its tail, all from the third line on, is the same for each and encoded once, also
 * for other nodes: it is the text that they are sent. Each subscription has its own prefix, and each delivery its `ack`.
 */
export class SharedMessage {
  /** As STOMP 1.2 has it. */
  readonly tail: string;
  #bytes: Uint8Array | undefined;
  readonly #older = new Map<StompVersion, string>();

  constructor(tail: string) {
    this.tail = tail;
  }

  /** `headers` has none of `subscription`, `ack` and `content-length`. */
  static of(headers: StompHeaders, body: string): SharedMessage {
    return new SharedMessage(encodeHeaders(headers, escapesOf('MESSAGE', '1.2')) + textTail(body));
  }

  /** The frame for one subscription, whose `prefix` is `messagePrefix`; `ack` is digits, or undefined in mode auto. */
  text(prefix: string, ack: string | number | undefined, version: StompVersion = '1.2'): string {
    const tail = version === '1.2' ? this.tail : this.#tailFor(version);
    return ack === undefined ? prefix + tail : `${prefix}ack:${ack}\n${tail}`;
  }

  /** The same in bytes. */
  bytes(prefix: string, ack: string | number | undefined, version: StompVersion = '1.2'): Uint8Array {
    if (version !== '1.2') return encodeUtf8(this.text(prefix, ack, version));
    this.#bytes ??= encodeUtf8(this.tail);
    const start = encodeUtf8(ack === undefined ? prefix : `${prefix}ack:${ack}\n`);
    const frame = new Uint8Array(start.length + this.#bytes.length);
    frame.set(start);
    frame.set(this.#bytes, start.length);
    return frame;
  }

  /** Versions differ in their escapes only. */
  #tailFor(version: StompVersion): string {
    if (!this.tail.slice(0, this.tail.indexOf('\n\n')).includes('\\')) return this.tail;
    let tail = this.#older.get(version);
    if (tail === undefined) {
      const decoder = new StompDecoder({ from: 'server', limits: ownLimits });
      decoder.push(`MESSAGE\n${this.tail}`);
      const frame = decoder.next();
      if (frame === undefined) throw new Error('a tail without its end');
      const isLast = frame.headers.at(-2) === 'content-length';
      const headers = isLast ? frame.headers.slice(0, -2) : frame.headers;
      tail = encodeHeaders(headers, escapesOf('MESSAGE', version)) + textTail(frame.text);
      this.#older.set(version, tail);
    }
    return tail;
  }
}

/** What a MESSAGE begins with for this subscription: made once, at SUBSCRIBE. */
export function messagePrefix(subscription: string, version: StompVersion = '1.2'): string {
  return `MESSAGE\nsubscription:${escapeHeader(subscription, escapesOf('MESSAGE', version), false)}\n`;
}

import { ByteFrames } from './byte-frames.ts';
import { StompFault } from './fault.ts';
import type { StompFrame, StompVersion } from './frame.ts';
import type { Rules, Sender } from './headers.ts';
import { CLIENT_FRAME_LIMITS, SERVER_FRAME_LIMITS, type StompLimits } from './limits.ts';
import { encodeUtf8 } from './octets.ts';
import { readTextFrame, textEnd } from './text-frame.ts';

export interface StompDecoderOptions {
  /** Who sends: a server reads the frames of clients, and a client those of its server. */
  readonly from: Sender;
  readonly version?: StompVersion;
  readonly limits?: StompLimits;
}

/**
 * Makes frames of the WebSocket messages of one connection, however they are cut: `push` a message, then take frames
 * with `next` until there is none. A frame may be spread over messages, and messages may hold many; text and binary
 * ones may be mixed. Whatever STOMP forbids is a `StompFault`, and the decoder gives nothing more after it.
 *
 * A text message is read as it is, as far as it holds whole frames. What is left, and every binary message, is read as
 * bytes. Nothing is looked at twice while it waits for more: the work grows with the bytes, whatever the pieces.
 * A connection between two messages holds no buffer.
 */
export class StompDecoder {
  #rules: Rules;
  #text = '';
  #textAt = 0;
  /** Made when the first message comes that is not text of whole frames. */
  #bytes: ByteFrames | undefined;
  #framesInPush = 0;
  #heartBeats = 0;
  #textWork = 0;
  #fault: StompFault | undefined;

  constructor({ from, version = '1.2', limits }: StompDecoderOptions) {
    const ownLimits = limits ?? (from === 'client' ? CLIENT_FRAME_LIMITS : SERVER_FRAME_LIMITS);
    this.#rules = rulesFor(from, version, ownLimits);
  }

  /** Set what CONNECT and CONNECTED agreed upon: it counts from the next frame on. */
  set version(version: StompVersion) {
    this.#rules = rulesFor(this.#rules.from, version, this.#rules.limits);
  }

  get version(): StompVersion {
    return this.#rules.version;
  }

  /** Line ends between frames since the beginning: they are the heart-beats of the other side. */
  get heartBeats(): number {
    return this.#heartBeats + (this.#bytes?.heartBeats ?? 0);
  }

  /** The memory that is held for a frame whose end has not come. */
  get bufferedBytes(): number {
    return this.#bytes?.bufferedBytes ?? 0;
  }

  /** Characters and bytes looked at and copied since the beginning: in proportion to what was pushed. */
  get work(): number {
    return this.#textWork + (this.#bytes?.work ?? 0);
  }

  /** Takes one WebSocket message. Bytes are kept as they are where they hold whole frames: they must not change. */
  push(message: string | Uint8Array): void {
    if (this.#fault !== undefined) throw this.#fault;
    this.#framesInPush = 0;
    try {
      if (typeof message !== 'string') this.#pushBytes(message);
      // A pair cannot be cut by a text message, so that half of one can have no other half.
      else if (!message.isWellFormed()) throw new StompFault('invalid-utf8', 'a lone surrogate');
      else if (this.#text !== '' || this.#bytes?.isEmpty === false) this.#pushBytes(encodeUtf8(message));
      else {
        this.#text = message;
        this.#textAt = 0;
      }
    } catch (error) {
      throw this.#stopAt(error);
    }
  }

  /** The next frame, or undefined until more of it is pushed. */
  next(): StompFrame | undefined {
    if (this.#fault !== undefined) throw this.#fault;
    try {
      const frame = this.#nextOfText() ?? this.#bytes?.next(this.#rules);
      if (frame === undefined) return undefined;
      this.#framesInPush += 1;
      if (this.#framesInPush > this.#rules.limits.maxFramesPerPush) throw new StompFault('too-many-frames');
      return frame;
    } catch (error) {
      throw this.#stopAt(error);
    }
  }

  #nextOfText(): StompFrame | undefined {
    const text = this.#text;
    if (text === '') return undefined;
    const start = this.#textAt;
    const frame = readTextFrame(text, start, this.#rules);
    this.#heartBeats += textEnd.heartBeats;
    this.#textAt = textEnd.at;
    this.#textWork += (frame === undefined ? text.length : textEnd.at) - start;
    if (frame !== undefined) return frame;
    this.#leaveText();
    return undefined;
  }

  /** What is left of the text waits for its end as bytes. */
  #leaveText(): void {
    const left = this.#text.slice(this.#textAt);
    this.#text = '';
    if (left === '') return;
    this.#bytes ??= new ByteFrames();
    this.#bytes.push(encodeUtf8(left), this.#rules.limits.maxBufferedBytes);
  }

  #pushBytes(bytes: Uint8Array): void {
    this.#leaveText();
    this.#bytes ??= new ByteFrames();
    this.#bytes.push(bytes, this.#rules.limits.maxBufferedBytes);
  }

  /** After a fault there is no way to tell where the next frame begins. */
  #stopAt(error: unknown): unknown {
    if (error instanceof StompFault) {
      this.#fault = error;
      this.#text = '';
      this.#bytes = undefined;
    }
    return error;
  }
}

const shared = new WeakMap<StompLimits, Map<string, Rules>>();

/** One object for all connections of the same kind, which are many. */
function rulesFor(from: Sender, version: StompVersion, limits: StompLimits): Rules {
  const known = shared.get(limits) ?? new Map<string, Rules>();
  shared.set(limits, known);
  const key = `${from} ${version}`;
  const rules = known.get(key) ?? { from, version, limits };
  known.set(key, rules);
  return rules;
}

import { endsLinesWithCr } from './escapes.ts';
import { StompFault } from './fault.ts';
import { mayHaveBody, type StompCommand, StompFrame } from './frame.ts';
import { commandAt, LONGEST_COMMAND_LINE, type Rules, readHeaders, section } from './headers.ts';
import { CR, decodeUtf8, LF, NUL } from './octets.ts';

const smallestBuffer = 256;
const noBytes = new Uint8Array(0);

/** What of the frame is looked for. */
type Phase = 'start' | 'command' | 'headers' | 'body';

/**
 * Frames of bytes that come in pieces. Whole frames are read from where they are; a piece without its end is copied
 * into a buffer of our own, which at most doubles, and is searched on from where the search had come to.
 */
export class ByteFrames {
  heartBeats = 0;
  /** Bytes looked at and copied. */
  work = 0;

  #bytes: Uint8Array = noBytes;
  /** Ours may be written to after `#end`. What is before it never changes, since frames are views of it. */
  #isOurs = false;
  #end = 0;
  #phase: Phase = 'start';
  #start = 0;
  /** All before is known to hold no end of what is looked for. */
  #scanned = 0;
  #lineStart = 0;
  #headersStart = 0;
  #lines = 0;
  #rules: Rules | undefined;
  #command: StompCommand = 'SEND';
  #headers: string[] = [];
  #bodyStart = 0;
  #contentLength = -1;

  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  get bufferedBytes(): number {
    return this.#isOurs ? this.#bytes.length : 0;
  }

  push(piece: Uint8Array, maxBufferedBytes: number): void {
    if (this.isEmpty) {
      this.clear();
      this.#bytes = piece;
      this.#end = piece.length;
      return;
    }
    const needed = this.#end - this.#start + piece.length;
    if (needed > maxBufferedBytes) throw new StompFault('buffer-full');
    if (!this.#isOurs || this.#end + piece.length > this.#bytes.length) {
      this.#move(Math.min(needed * 2, maxBufferedBytes));
    }
    this.#bytes.set(piece, this.#end);
    this.#end += piece.length;
    this.work += piece.length;
  }

  clear(): void {
    this.#bytes = noBytes;
    this.#isOurs = false;
    this.#phase = 'start';
    this.#start = 0;
    this.#end = 0;
    this.#scanned = 0;
  }

  next(rules: Rules): StompFrame | undefined {
    const before = this.#scanned;
    const frame = this.#read(rules);
    this.work += this.#scanned - before;
    if (frame !== undefined) return frame;
    if (this.isEmpty) this.clear();
    else if (!this.#isOurs || this.#start > 0) this.#move((this.#end - this.#start) * 2);
    return undefined;
  }

  #read(rules: Rules): StompFrame | undefined {
    if (this.#phase === 'start' && !this.#skipLineEnds()) return undefined;
    if (this.#phase === 'command' && !this.#readCommand(rules)) return undefined;
    if (this.#phase === 'headers' && !this.#readHeaders()) return undefined;
    const bodyEnd = this.#contentLength < 0 ? this.#endByNul() : this.#endByLength();
    if (bodyEnd < 0) return undefined;
    this.#phase = 'start';
    this.#start = bodyEnd + 1;
    this.#scanned = this.#start;
    return new StompFrame(this.#command, this.#headers, this.#bytes.subarray(this.#bodyStart, bodyEnd));
  }

  /** Moves what is left to a buffer of our own with room for `capacity` bytes. */
  #move(capacity: number): void {
    const left = this.#bytes.subarray(this.#start, this.#end);
    const buffer = new Uint8Array(Math.max(capacity, left.length, smallestBuffer));
    buffer.set(left);
    this.work += left.length;
    const shift = this.#start;
    this.#bytes = buffer;
    this.#isOurs = true;
    this.#start = 0;
    this.#end -= shift;
    this.#scanned -= shift;
    this.#lineStart -= shift;
    this.#headersStart -= shift;
    this.#bodyStart -= shift;
  }

  #skipLineEnds(): boolean {
    for (; this.#scanned < this.#end; this.#scanned++) {
      const byte = this.#bytes[this.#scanned];
      this.#start = this.#scanned;
      if (byte === LF) this.heartBeats += 1;
      else if (byte !== CR) break;
      // Of a carriage return at the end nobody knows yet what it belongs to.
      else if (this.#scanned + 1 === this.#end) return false;
      else if (this.#bytes[this.#scanned + 1] !== LF) break;
    }
    this.#start = this.#scanned;
    if (this.isEmpty) return false;
    this.#phase = 'command';
    return true;
  }

  #readCommand(rules: Rules): boolean {
    const limit = Math.min(this.#end, this.#start + LONGEST_COMMAND_LINE + 1);
    for (; this.#scanned < limit; this.#scanned++) {
      const byte = this.#bytes[this.#scanned];
      if (byte === LF || byte === NUL) break;
    }
    if (this.#scanned === this.#end && this.#end - this.#start <= LONGEST_COMMAND_LINE) return false;
    if (this.#bytes[this.#scanned] !== LF) throw new StompFault('unknown-command');
    const line = String.fromCharCode(...this.#bytes.subarray(this.#start, this.#scanned));
    this.#command = commandAt(line, 0, line.length, rules);
    this.#rules = rules;
    this.#scanned += 1;
    this.#headersStart = this.#scanned;
    this.#lineStart = this.#scanned;
    this.#lines = 0;
    this.#phase = 'headers';
    return true;
  }

  /** Looks for the blank line, and refuses early what `readHeaders` would refuse. */
  #readHeaders(): boolean {
    const rules = this.#rules;
    if (rules === undefined) throw new Error('headers without a command');
    const { limits } = rules;
    const mayEndWithCr = endsLinesWithCr(this.#command, rules.version);
    for (; this.#scanned < this.#end; this.#scanned++) {
      const byte = this.#bytes[this.#scanned];
      if (byte === NUL) throw new StompFault('malformed-header', 'NUL');
      if (byte !== LF) continue;
      const length = this.#scanned - this.#lineStart;
      const isBlank = length === 0 || (length === 1 && mayEndWithCr && this.#bytes[this.#lineStart] === CR);
      if (isBlank) return this.#takeHeaders(rules);
      this.#lines += 1;
      if (this.#lines > limits.maxHeaders) throw new StompFault('too-many-headers');
      if (length > limits.maxHeaderLineBytes + 1) throw new StompFault('header-line-too-long');
      this.#lineStart = this.#scanned + 1;
    }
    // One more for a carriage return.
    if (this.#scanned - this.#lineStart > limits.maxHeaderLineBytes + 1) {
      throw new StompFault('header-line-too-long');
    }
    if (this.#scanned - this.#start > limits.maxHeaderBytes) throw new StompFault('headers-too-large');
    return false;
  }

  #takeHeaders(rules: Rules): boolean {
    this.#scanned += 1;
    const length = this.#scanned - this.#start;
    if (length > rules.limits.maxHeaderBytes) throw new StompFault('headers-too-large');
    const text = decodeUtf8(this.#bytes.subarray(this.#headersStart, this.#scanned));
    readHeaders(text, 0, this.#command, rules);
    this.work += length;
    this.#headers = section.headers;
    this.#contentLength = section.contentLength;
    this.#bodyStart = this.#scanned;
    this.#phase = 'body';
    return true;
  }

  #endByLength(): number {
    const bodyEnd = this.#bodyStart + this.#contentLength;
    if (bodyEnd >= this.#end) return -1;
    if (this.#bytes[bodyEnd] !== NUL) throw new StompFault('missing-nul');
    return bodyEnd;
  }

  #endByNul(): number {
    const bytes = this.#bytes;
    const maxBytes = mayHaveBody(this.#command) ? (this.#rules?.limits.maxBodyBytes ?? 0) : 0;
    // Beyond `#end` our buffer is empty: a search of it all would cost that much for each piece.
    let at = this.#isOurs ? this.#scanned : bytes.indexOf(NUL, this.#scanned);
    if (at < 0) at = this.#end;
    while (at < this.#end && bytes[at] !== NUL) at += 1;
    this.#scanned = at;
    if (at - this.#bodyStart > maxBytes) {
      throw new StompFault(maxBytes === 0 ? 'unexpected-body' : 'body-too-large');
    }
    return at < this.#end ? at : -1;
  }
}

/** Why a frame was refused. Stable: it is the `message` header of the ERROR frame, and clients may switch on it. */
export type StompFaultCode =
  /** Not a command of STOMP, or not one that this side may send. */
  | 'unknown-command'
  /** A header line without colon, without name, or with a NUL or a lone carriage return in it. */
  | 'malformed-header'
  | 'undefined-escape'
  | 'invalid-content-length'
  /** The octet after the body, as `content-length` counts it, is not NUL. */
  | 'missing-nul'
  /** Only SEND, MESSAGE and ERROR may have a body. */
  | 'unexpected-body'
  | 'invalid-utf8'
  | 'too-many-headers'
  | 'header-line-too-long'
  | 'headers-too-large'
  | 'body-too-large'
  | 'buffer-full'
  | 'too-many-frames'
  | 'invalid-heart-beat'
  | 'unsupported-version'
  /** Our own side wants to send what this version of STOMP cannot express. */
  | 'unencodable';

/** What STOMP forbids, or what is over a limit. It is fatal: an ERROR frame, and the connection is closed. */
export class StompFault extends Error {
  override readonly name = 'StompFault';
  readonly code: StompFaultCode;

  constructor(code: StompFaultCode, detail?: string) {
    super(detail === undefined ? code : `${code}: ${detail}`);
    this.code = code;
  }
}

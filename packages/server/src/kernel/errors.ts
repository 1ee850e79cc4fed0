/**
 * The registry of everything that can be refused, and the one error class that carries it.
 *
 * A code is stable: clients act on it. `docs/errors.md` is made from this registry.
 * A bug is not an `AppError`: it is an assertion, never caught and continued past.
 */

/** `unknown`: the write may have happened (a commit that timed out). Everything else changed nothing. */
export type Outcome = 'not-applied' | 'unknown';

/** Whether the same request may succeed later: `never`, `later` (after a wait), `now` (a conflict with a neighbour). */
export type Retry = 'never' | 'later' | 'now';

export interface ErrorSpec {
  readonly status: number;
  readonly title: string;
  readonly retry: Retry;
  readonly outcome: Outcome;
}

const spec = (
  status: number,
  title: string,
  retry: Retry = 'never',
  outcome: Outcome = 'not-applied',
): ErrorSpec => ({
  status,
  title,
  retry,
  outcome,
});

export const errorRegistry = {
  // Requests
  'invalid-request': spec(400, 'The request does not fit its schema'),
  'invalid-json': spec(400, 'The body is not valid JSON'),
  'invalid-cursor': spec(400, 'The cursor was not made by this server'),
  'invalid-idempotency-key': spec(400, 'Idempotency-Key must be 1 to 200 visible ASCII characters'),
  'unsupported-media-type': spec(415, 'The content type is not supported here'),
  'body-too-large': spec(413, 'The body is larger than this request allows'),
  'not-found': spec(404, 'There is nothing here that you may see'),
  'method-not-allowed': spec(405, 'The method is not allowed here'),
  'format-unsupported': spec(501, 'The answer does not come in this format'),
  'idempotency-conflict': spec(409, 'This Idempotency-Key was used for another request'),
  'rate-limited': spec(429, 'Too many requests', 'later'),
  overloaded: spec(503, 'The server has more to do than it can', 'later'),
  'shutting-down': spec(503, 'The server is shutting down', 'later'),
  'database-unavailable': spec(503, 'The database cannot be reached', 'later', 'unknown'),
  cancelled: spec(499, 'The trace that the request belongs to was cancelled', 'now'),
  timeout: spec(503, 'The deadline has passed', 'later', 'unknown'),
  internal: spec(500, 'Something went wrong on the server', 'later', 'unknown'),

  // Accounts
  unauthenticated: spec(401, 'Sign in first'),
  'token-invalid': spec(401, 'The token is invalid or has expired'),
  'token-reused': spec(401, 'This refresh token was used before: the whole login has been ended'),
  forbidden: spec(403, 'You may not do this'),
  'cross-origin': spec(403, 'A request with the session cookie must come from the same origin'),
  suspended: spec(403, 'This account is suspended'),
  'bad-credentials': spec(401, 'The name or the password is wrong'),
  'bad-code': spec(401, 'The code is wrong, was used or has expired'),
  'username-taken': spec(409, 'This username is taken'),
  'phone-taken': spec(409, 'This phone number belongs to another account'),
  'weak-password': spec(422, 'The password is too easy to guess'),
  'registration-closed': spec(403, 'This community takes no new members'),
  'invitation-required': spec(403, 'An invitation is needed to join'),
  'invitation-invalid': spec(403, 'The invitation is unknown, used or expired'),
  'setup-done': spec(409, 'This community is already set up'),
  'setup-required': spec(409, 'This community has to be set up first'),
  'last-admin': spec(409, 'The last admin cannot leave'),

  // Graph
  'cannot-target-self': spec(422, 'You cannot do this to yourself'),
  blocked: spec(403, 'One of you has blocked the other'),
  'too-many-follows': spec(422, 'You follow as many people as one account may'),

  // Engagement
  'comment-gone': spec(409, 'The comment that this answers is gone'),
  'list-private': spec(403, 'This list is private'),
  'folder-exists': spec(409, 'You have a folder of this name'),
  'too-many-folders': spec(422, 'You have as many folders as one account may'),

  // Chat
  'chain-conflict': spec(409, 'This number of the chain was used for another message'),
  'out-of-turn': spec(409, 'The chain goes on from another number', 'now'),
  'message-invalid': spec(422, 'The message does not fit its schema'),
  'quote-unknown': spec(422, 'The quoted message has not arrived'),
  'group-full': spec(422, 'The group has as many members as it may have'),
  'too-many-conversations': spec(422, 'One of you is in as many conversations as one account may be'),

  // Uploads and videos
  'upload-too-large': spec(413, 'The file is larger than this server accepts'),
  'upload-quota': spec(422, 'Your account has no room for this upload'),
  'too-many-uploads': spec(429, 'Too many unfinished uploads', 'later'),
  'upload-offset-conflict': spec(409, 'The upload goes on from another offset', 'now'),
  'upload-locked': spec(423, 'Another request is writing this upload', 'later'),
  'upload-incomplete': spec(409, 'The upload is not complete'),
  'upload-used': spec(409, 'This upload already belongs to a video'),
  'upload-checksum-mismatch': spec(460, 'The bytes do not match their checksum', 'now'),
  'tus-version': spec(412, 'This server speaks tus 1.0.0'),
  'tus-extension': spec(400, 'The tus extension is not supported'),
  'no-space': spec(507, 'The server has no room for this file', 'later'),
  'media-unreadable': spec(422, 'The file is not a video that can be read'),
  'media-truncated': spec(422, 'The file ends in the middle'),
  'media-no-video': spec(422, 'The file has no picture'),
  'media-too-long': spec(422, 'The clip is longer than this server accepts'),
  'media-too-short': spec(422, 'The clip is too short'),
  'media-dimensions': spec(422, 'The picture is too large or too small'),
  'media-too-complex': spec(422, 'The file takes more work to decode than this server allows'),
  'media-codec-unsupported': spec(422, 'The codec of this file is not supported'),
  'image-unreadable': spec(422, 'The file is not an image that can be read'),
  'video-not-ready': spec(409, 'The video is still being prepared', 'later'),
  'publish-time-passed': spec(422, 'The time of publication must be in the future, within a year'),
  'range-not-satisfiable': spec(416, 'The range lies outside of the file'),
  'link-expired': spec(403, 'This media link has expired'),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof errorRegistry;

/** What a client needs to go on, beside the code: members of the problem document. */
export interface ErrorExtras {
  readonly expectedClientSeq?: number;
  readonly expectedPreId?: string | null;
}

export interface ErrorDetails {
  /** One sentence for a person, about this very case. Never holds a secret or another account's data. */
  readonly detail?: string;
  /** What is wrong with which field: `{ "username": "must have 3 to 30 characters" }`. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly retryAfterSeconds?: number;
  readonly extras?: ErrorExtras;
  readonly cause?: unknown;
}

export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly status: number;
  readonly title: string;
  readonly retry: Retry;
  readonly outcome: Outcome;
  readonly detail: string | undefined;
  readonly fields: Readonly<Record<string, string>> | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly extras: ErrorExtras | undefined;

  constructor(code: ErrorCode, details: ErrorDetails = {}) {
    const entry: ErrorSpec = errorRegistry[code];
    super(details.detail ?? entry.title, { cause: details.cause });
    this.code = code;
    this.status = entry.status;
    this.title = entry.title;
    this.retry = entry.retry;
    this.outcome = entry.outcome;
    this.detail = details.detail;
    this.fields = details.fields;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.extras = details.extras;
  }
}

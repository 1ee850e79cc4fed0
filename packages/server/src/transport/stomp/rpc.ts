import { header, type StompFrame } from '@hvideo/protocol/stomp';
import { AppError } from '../../kernel/errors.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type { DispatchAs } from '../http/dispatch.ts';
import { problemDocument } from '../http/problems.ts';
import type { Viewer } from '../http/route.ts';
import type { Rpc, Speaker } from './host.ts';
import { namesOf } from './sending.ts';

const timeoutMs = 35_000;

/** `SEND /app/rpc/{METHOD} {path}`: the request of HTTP, answered as the request of HTTP is. */
export class SocketRpc implements Rpc {
  readonly #dispatch: DispatchAs;
  readonly #standing: (viewer: Viewer) => MaybePromise<Viewer>;

  /** `standing`: who calls by a login as it is now, with the role of now. Throws `token-invalid`. */
  constructor(dispatch: DispatchAs, standing: (viewer: Viewer) => MaybePromise<Viewer>) {
    this.#dispatch = dispatch;
    this.#standing = standing;
  }

  async answer(speaker: Speaker, viewer: Viewer, target: string, frame: StompFrame): Promise<void> {
    try {
      const { body, headers } = await this.#answer(speaker, viewer, target, frame);
      speaker.reply(body, [...headers, ...correlationOf(frame)]);
    } finally {
      speaker.rpcUnderWay -= 1;
    }
  }

  async #answer(speaker: Speaker, viewer: Viewer, target: string, frame: StompFrame) {
    try {
      const response = await this.#respond(speaker, await this.#standing(viewer), target, frame);
      const type = response.headers.get('content-type') ?? '';
      // A stream of events or of a file has no end that could be waited for.
      if (response.status !== 204 && !/^application\/(problem\+)?json/.test(type)) {
        await response.body?.cancel();
        throw new AppError('format-unsupported');
      }
      const retryAfter = response.headers.get('retry-after');
      const headers = ['status', String(response.status)];
      if (type !== '') headers.push('content-type', type);
      if (retryAfter !== null) headers.push('retry-after', retryAfter);
      return { body: await response.text(), headers };
    } catch (error) {
      const known = error instanceof AppError ? error : new AppError('internal', { cause: error });
      if (known.code === 'internal') speaker.host.log.error({ err: error }, 'a request over a socket failed');
      const headers = ['status', String(known.status), 'content-type', 'application/problem+json'];
      return { body: JSON.stringify(problemDocument(known)), headers };
    }
  }

  #respond({ address }: Speaker, viewer: Viewer, target: string, frame: StompFrame): MaybePromise<Response> {
    const [, method = '', path = ''] = /^(GET|POST|PUT|PATCH|DELETE) (\/[^\s#]*)$/.exec(target) ?? [];
    if (method === '') throw new AppError('invalid-request', { detail: 'Send to /app/rpc/{METHOD} {path}' });
    const url = new URL(`http://socket/api/v1${path}`);
    const headers = new Headers();
    const key = header(frame, 'idempotency-key');
    if (key !== undefined) headers.set('idempotency-key', key);
    const text = method === 'GET' ? '' : frame.text;
    if (text !== '') headers.set('content-type', 'application/json');
    const request = new Request(url.href, {
      ...{ method, headers, signal: AbortSignal.timeout(timeoutMs) },
      body: text === '' ? null : text,
    });
    const response = this.#dispatch(request, url.pathname, viewer, address);
    if (!response) throw new AppError('not-found');
    return response;
  }
}

function correlationOf(frame: StompFrame): string[] {
  const names = namesOf(frame);
  const at = names.indexOf('correlation-id');
  return at < 0 ? [] : names.slice(at, at + 2);
}

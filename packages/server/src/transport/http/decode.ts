import { createHash } from 'node:crypto';
import type { AnyEndpoint } from '@hvideo/protocol';
import type { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { MaybePromise } from '../../kernel/maybe-promise.ts';
import type { Idempotency } from '../../ports/database/port.ts';

/** JSON requests are small; what is large is uploaded. */
const maxJsonBytes = 64 * 1024;

const noPart = undefined as never;

export interface DecodedParts {
  readonly params: never;
  readonly query: never;
  readonly body: never;
  readonly bodyText: string;
}

/** Reads and validates every part of a request that its endpoint declares: at once when there is no body to wait for. */
export function decode(
  endpoint: AnyEndpoint,
  request: Request,
  pathParams: Record<string, string>,
): MaybePromise<DecodedParts> {
  const params = endpoint.params ? parse(endpoint.params, withoutNul(pathParams)) : noPart;
  const query = endpoint.query ? parsedQuery(endpoint, endpoint.query, request.url) : noPart;
  const { body: schema } = endpoint;
  if (!schema) return { params, query, body: noPart, bodyText: '' };
  return readJsonText(request).then((bodyText) => ({
    ...{ params, query, bodyText },
    body: parse(schema, parseJson(bodyText)),
  }));
}

/** Short queries that came last, as they were read: most requests of an endpoint have one of a few. */
const knownQueries = new WeakMap<AnyEndpoint, Map<string, never>>();
const maxKnownQueries = 64;
const maxKnownLength = 40;

/** What it answers may be shared by requests, and must not be modified. */
function parsedQuery(endpoint: AnyEndpoint, schema: z.ZodType, url: string): never {
  const start = url.indexOf('?');
  const text = start < 0 ? '' : url.slice(start);
  const known = knownQueries.get(endpoint)?.get(text);
  if (known !== undefined) return known;
  const query = parse(schema, withoutNul(Object.fromEntries(new URLSearchParams(text))));
  if (text.length > maxKnownLength) return query;
  const queries = knownQueries.get(endpoint) ?? new Map<string, never>();
  knownQueries.set(endpoint, queries);
  if (queries.size >= maxKnownQueries) queries.clear();
  queries.set(text, Object.freeze(query));
  return query;
}

function parse(schema: z.ZodType, value: unknown): never {
  const result = schema.safeParse(value);
  if (result.success) return result.data as never;
  const fields: Record<string, string> = {};
  for (const issue of result.error.issues.slice(0, 20)) {
    fields[issue.path.join('.') || 'body'] ??= issue.message;
  }
  throw new AppError('invalid-request', { fields });
}

/** No text here has a NUL: the database cannot hold one, and nobody types it. Refused before any schema is asked. */
function withoutNul(values: Record<string, string>): Record<string, string> {
  for (const name in values) if (values[name]?.includes('\0')) refuseNul(name);
  return values;
}

function refuseNul(name: string): never {
  throw new AppError('invalid-request', { fields: { [name || 'body']: 'holds a NUL character' } });
}

async function readJsonText(request: Request): Promise<string> {
  const type = request.headers.get('content-type');
  if (type !== null && !/^application\/json\s*(;|$)/i.test(type))
    throw new AppError('unsupported-media-type');
  if (Number(request.headers.get('content-length') ?? 0) > maxJsonBytes) throw new AppError('body-too-large');
  if (!request.body) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > maxJsonBytes) throw new AppError('body-too-large');
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new AppError('invalid-json', { detail: 'The body is not UTF-8', cause });
  }
}

function parseJson(text: string): unknown {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    // JSON writes a NUL only as this escape, so that hardly any body is read twice.
    return text.includes('\\u0000') ? JSON.parse(text, nulRefused) : value;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('invalid-json', { cause });
  }
}

function nulRefused(name: string, value: unknown): unknown {
  if (typeof value === 'string' && value.includes('\0')) refuseNul(name);
  return value;
}

/** The `Idempotency-Key` of a write by a signed-in account, bound to what the request says. */
export function idempotencyOf(
  request: Request,
  accountId: string | undefined,
  bodyText: string,
): Idempotency | undefined {
  const key = request.headers.get('idempotency-key');
  if (key === null) return undefined;
  if (!/^[\x21-\x7e]{1,200}$/.test(key)) throw new AppError('invalid-idempotency-key');
  if (accountId === undefined) return undefined;
  const { pathname, search } = new URL(request.url);
  const requestHash = createHash('sha256')
    .update(`${request.method} ${pathname}${search}\n${bodyText}`)
    .digest('base64url');
  return { accountId, key, requestHash };
}

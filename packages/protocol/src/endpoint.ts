import type { z } from 'zod';

/** Who may call: `optional` reads differently for a signed-in viewer, the others are refused to everyone below. */
export type Access = 'public' | 'optional' | 'user' | 'moderator' | 'admin';

/** Which budget a call draws on; the sizes are the server's settings. */
export type LimitClass = 'read' | 'write' | 'message' | 'auth' | 'code' | 'upload';

/**
 * One request of the interface: what the server validates, what the OpenAPI document says, and what a client may send
 * are all read from this. Paths are relative to `/api/v1` and write parameters as `{name}`.
 */
export interface Endpoint<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Response extends z.ZodType = z.ZodType,
  Who extends Access = Access,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD' | 'OPTIONS';
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly access: Who;
  readonly limit: LimitClass;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Status of success; with a `response` schema the answer is JSON, without one it has no body. */
  readonly status: number;
  readonly response?: Response;
  /** For what is not JSON: the media type of the request or the answer, which the server then handles itself. */
  readonly rawBody?: string;
  readonly rawResponse?: string;
  /** Codes this call may answer with, besides those every call may. */
  readonly problems?: readonly string[];
}

export type AnyEndpoint = Endpoint;

/** Keeps the schemas' types while checking the shape. */
export function endpoint<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Response extends z.ZodType = z.ZodVoid,
  const Who extends Access = Access,
>(definition: Endpoint<Params, Query, Body, Response, Who>): Endpoint<Params, Query, Body, Response, Who> {
  return definition;
}

export type ParamsOf<E> = E extends Endpoint<infer P, z.ZodType, z.ZodType, z.ZodType> ? z.output<P> : never;
export type QueryOf<E> = E extends Endpoint<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.output<Q> : never;
export type BodyOf<E> = E extends Endpoint<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.output<B> : never;
/** What the server returns and the client receives: responses are built, not parsed, so input and output agree. */
export type ResponseOf<E> =
  E extends Endpoint<z.ZodType, z.ZodType, z.ZodType, infer R> ? z.output<R> : never;

type Part<Name extends string, Schema> = Schema extends z.ZodUndefined
  ? { readonly [key in Name]?: undefined }
  : Schema extends z.ZodType
    ? Record<string, never> extends z.input<Schema>
      ? { readonly [key in Name]?: z.input<Schema> }
      : { readonly [key in Name]: z.input<Schema> }
    : never;

/** What a client passes to call the endpoint. */
export type InputOf<E> =
  E extends Endpoint<infer P, infer Q, infer B, z.ZodType>
    ? Part<'params', P> & Part<'query', Q> & Part<'body', B>
    : never;

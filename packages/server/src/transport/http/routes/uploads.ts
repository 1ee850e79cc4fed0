import { API_PREFIX, api } from '@hvideo/protocol';
import type { Uploads } from '../../../features/media/index.ts';
import { AppError } from '../../../kernel/errors.ts';
import { problemResponse } from '../problems.ts';
import { type RequestInfo, type Route, route, type Viewer } from '../route.ts';
import {
  capabilityHeaders,
  checkBodyType,
  checkTusVersion,
  fileOf,
  metadataHeader,
  stateHeaders,
  tusHeaders,
  uploadBodyOf,
  wholeNumber,
} from './tus.ts';

/** tus 1.0.0 for an unmodified client. The protocol is in the headers, so these handlers answer whole responses. */
export function uploadRoutes(uploads: Uploads): Route[] {
  const options = async () =>
    new Response(null, { status: 204, headers: capabilityHeaders(uploads.maxBytes) });
  const create = async (request: RequestInfo, viewer: Viewer) => {
    const { headers } = request.raw;
    const withBody = headers.has('content-type') || Number(headers.get('content-length') ?? 0) > 0;
    if (withBody) checkBodyType(headers);
    const file = fileOf(headers);
    let state = await uploads.create(viewer.accountId, file, request.idempotency);
    if (withBody)
      state = await uploads.append(viewer.accountId, state.id, 0, uploadBodyOf(request.raw, request.signal));
    const location = `${API_PREFIX}/uploads/${state.id}`;
    return new Response(null, { status: 201, headers: { ...stateHeaders(state), location } });
  };
  const head = async (id: string, viewer: Viewer) => {
    const state = await uploads.find(viewer.accountId, id);
    const extra = { 'upload-length': String(state.size), 'upload-metadata': metadataHeader(state) };
    return new Response(null, { headers: { ...stateHeaders(state), ...extra } });
  };
  const append = async (id: string, request: RequestInfo, viewer: Viewer) => {
    checkBodyType(request.raw.headers);
    const offset = wholeNumber(request.raw.headers, 'upload-offset');
    const body = uploadBodyOf(request.raw, request.signal);
    const state = await uploads.append(viewer.accountId, id, offset, body);
    return new Response(null, { status: 204, headers: stateHeaders(state) });
  };
  const remove = async (id: string, viewer: Viewer) => {
    await uploads.remove(viewer.accountId, id);
    return new Response(null, { status: 204, headers: tusHeaders });
  };
  return [
    route(api.uploads.options, options),
    route(api.uploads.optionsOfOne, options),
    route(api.uploads.create, ({ request }, viewer) => tus(request, () => create(request, viewer))),
    route(api.uploads.head, ({ params, request }, viewer) => tus(request, () => head(params.id, viewer))),
    route(api.uploads.append, ({ params, request }, viewer) =>
      tus(request, () => append(params.id, request, viewer)),
    ),
    route(api.uploads.delete, ({ params, request }, viewer) => tus(request, () => remove(params.id, viewer))),
    // For clients behind proxies that know neither PATCH nor DELETE.
    route(api.uploads.override, ({ params, request }, viewer) =>
      tus(request, () => {
        const method = request.raw.headers.get('x-http-method-override')?.toUpperCase();
        if (method === 'PATCH') return append(params.id, request, viewer);
        if (method === 'DELETE') return remove(params.id, viewer);
        if (method === 'HEAD') return head(params.id, viewer);
        throw new AppError('method-not-allowed');
      }),
    ),
  ];
}

/** A tus client looks for the protocol's headers on refusals as well. */
async function tus(request: RequestInfo, work: () => Promise<Response>): Promise<Response> {
  try {
    checkTusVersion(request.raw.headers);
    return await work();
  } catch (error) {
    // The client went away in the middle: what has arrived is kept, and nobody reads this answer.
    if (request.signal.aborted) return new Response(null, { status: 499 });
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    const response = problemResponse(error);
    for (const [name, value] of Object.entries(tusHeaders)) response.headers.set(name, value);
    if (error.code === 'tus-version') response.headers.set('tus-version', tusHeaders['tus-resumable']);
    return response;
  }
}

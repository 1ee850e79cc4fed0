import { type AnyEndpoint, API_PREFIX, api, Problem } from '@hvideo/protocol';
import { z } from 'zod';
import { errorRegistry } from '../../kernel/errors.ts';

type Json = Record<string, unknown>;

/** Codes that every request may answer with. */
const commonProblems = ['invalid-request', 'rate-limited', 'internal', 'database-unavailable'];

/** The OpenAPI 3.1 document, made from the schemas that validate requests. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const group of Object.values(api)) {
    for (const [name, endpoint] of Object.entries<AnyEndpoint>(group)) {
      paths[endpoint.path] ??= {};
      paths[endpoint.path]![endpoint.method.toLowerCase()] = operation(endpoint, name);
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'H-Video', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: API_PREFIX }],
    security: [{ bearer: [] }, { cookie: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: { type: 'apiKey', in: 'cookie', name: 'hvideo_session' },
      },
      schemas: { Problem: schemaOf(Problem, 'output') },
    },
  };
}

function operation(endpoint: AnyEndpoint, name: string): Json {
  const success: Json = { description: endpoint.summary };
  if (endpoint.response) {
    success['content'] = { 'application/json': { schema: schemaOf(endpoint.response, 'output') } };
  } else if (endpoint.rawResponse) {
    success['content'] = { [endpoint.rawResponse]: {} };
  }
  return {
    operationId: `${endpoint.tag}.${name}`,
    tags: [endpoint.tag],
    summary: endpoint.summary,
    ...(endpoint.access === 'public' && { security: [] }),
    parameters: [
      ...parameters(endpoint, 'path'),
      ...parameters(endpoint, 'query'),
      ...idempotencyKey(endpoint),
    ],
    ...requestBody(endpoint),
    responses: { [endpoint.status]: success, ...problemsOf(endpoint) },
  };
}

function requestBody(endpoint: AnyEndpoint): Json {
  if (endpoint.body) {
    return {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: schemaOf(endpoint.body, 'input') } },
      },
    };
  }
  return endpoint.rawBody ? { requestBody: { content: { [endpoint.rawBody]: {} } } } : {};
}

function parameters(endpoint: AnyEndpoint, place: 'path' | 'query'): Json[] {
  const schema = place === 'path' ? endpoint.params : endpoint.query;
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function idempotencyKey(endpoint: AnyEndpoint): Json[] {
  if (endpoint.method === 'GET' || endpoint.method === 'HEAD') return [];
  return [
    { name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 200 } },
  ];
}

function problemsOf(endpoint: AnyEndpoint): Json {
  const { access, method } = endpoint;
  const codes = [...(endpoint.problems ?? []), ...commonProblems];
  const isWrite = !['GET', 'HEAD', 'OPTIONS'].includes(method);
  if (isWrite) codes.push('cross-origin');
  if (endpoint.body) codes.push('invalid-json', 'unsupported-media-type', 'body-too-large');
  if (access !== 'public') codes.push('token-invalid');
  if (access !== 'public' && isWrite) codes.push('invalid-idempotency-key', 'idempotency-conflict');
  if (access !== 'public' && access !== 'optional') codes.push('unauthenticated', 'suspended');
  if (access === 'moderator' || access === 'admin') codes.push('forbidden');
  if (endpoint.params) codes.push('not-found');
  const byStatus = new Map<number, string[]>();
  for (const code of new Set(codes)) {
    const { status } = errorRegistry[code as keyof typeof errorRegistry];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      {
        description: names.map((code) => `\`${code}\``).join(', '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

/** Schemas are written in place: `$ref`s into a local `$defs` would point outside of it once embedded here. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    reused: 'inline',
    override: inlineMeta,
  }) as Json;
  return rest;
}

function inlineMeta({ jsonSchema }: { jsonSchema: Json }): void {
  delete jsonSchema['id'];
}

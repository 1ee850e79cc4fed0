import * as protocol from '../../protocol/src/index.ts';

/**
 * Replaces `@hvideo/protocol` in the bundle by what a client uses of it: the endpoint table without its schemas, and
 * the constants. The schemas exist for the server, and for types, which cost nothing; left in, they and zod would be
 * 30 KB of the first load. A schema imported at run time fails the build, rather than come back unnoticed.
 */
export function slimProtocol() {
  const id = '\0hvideo-protocol';
  return {
    name: 'hvideo-slim-protocol',
    enforce: 'pre' as const,
    resolveId: (source: string) => (source === '@hvideo/protocol' ? id : undefined),
    load: (loaded: string) => (loaded === id ? slimModule(protocol) : undefined),
  };
}

export function slimModule(source: Readonly<Record<string, unknown>>): string {
  const lines = Object.entries(source).flatMap(([name, value]) => {
    const text = serialize(value);
    return text === undefined ? [] : [`export const ${name} = ${text};`];
  });
  return lines.join('\n');
}

/** Text of the value without functions, schemas and everything that holds nothing else. */
function serialize(value: unknown): string | undefined {
  if (value instanceof RegExp) return value.toString();
  if (typeof value === 'string' || typeof value === 'number') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null || isSchema(value)) return undefined;
  if (isEndpoint(value)) {
    const { method, path, access } = value;
    return JSON.stringify({ method, path, access });
  }
  const parts = Object.entries(value).flatMap(([name, part]) => {
    const text = serialize(part);
    return text === undefined ? [] : [`${JSON.stringify(name)}: ${text}`];
  });
  return parts.length === 0 ? undefined : `{ ${parts.join(', ')} }`;
}

const isSchema = (value: object) => '_zod' in value;

function isEndpoint(value: object): value is { method: string; path: string; access: string } {
  return 'method' in value && 'path' in value && 'access' in value;
}

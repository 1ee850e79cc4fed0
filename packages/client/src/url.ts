import { API_PREFIX } from '@hvideo/protocol';

type Values = Readonly<Record<string, unknown>>;

/** Fills `{name}` in the path. An `@` stays readable, as in `/users/@lin`. */
export function buildPath(path: string, params: Values | undefined): string {
  return path.replace(/\{(\w+)\}/g, (_match, name: string) => {
    const value = params?.[name];
    if (typeof value !== 'string' && typeof value !== 'number') {
      throw new TypeError(`The path ${path} needs a value for ${name}`);
    }
    return encodeURIComponent(String(value)).replace(/^%40/, '@');
  });
}

export function buildQuery(query: Values | undefined): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== null) search.append(name, String(value));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

export function buildUrl(
  baseUrl: string,
  path: string,
  params: Values | undefined,
  query: Values | undefined,
): string {
  return `${baseUrl.replace(/\/+$/, '')}${API_PREFIX}${buildPath(path, params)}${buildQuery(query)}`;
}

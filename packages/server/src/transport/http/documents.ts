import { API_PREFIX } from '@hvideo/protocol';
import { errorRegistry } from '../../kernel/errors.ts';
import { openApiDocument } from './openapi.ts';

interface Operation {
  readonly tags: readonly string[];
  readonly summary: string;
  readonly parameters: readonly { name: string; in: string }[];
  readonly requestBody?: unknown;
  readonly responses: Record<string, { description: string }>;
}

const frame = (title: string, body: string) => `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>${Bun.escapeHTML(title)}</title>
<style>:root{color-scheme:light dark}body{font:16px/1.6 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code{font-family:ui-monospace,monospace}summary{cursor:pointer;padding:.4rem 0}td,th{text-align:left;padding:.25rem 1rem .25rem 0;vertical-align:top}
pre{overflow:auto;background:color-mix(in oklab,currentColor 7%,transparent);padding:1rem;border-radius:.5rem}</style>${body}</html>`;

/** The interface as a page for people: every request with its parts and answers. */
export function apiPage(version: string): string {
  const document = openApiDocument(version) as { paths: Record<string, Record<string, Operation>> };
  const groups = new Map<string, string[]>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags[0] ?? '';
      groups.set(tag, [...(groups.get(tag) ?? []), operationHtml(method, path, operation)]);
    }
  }
  const sections = [...groups]
    .map(([tag, rows]) => `<h2>${Bun.escapeHTML(tag)}</h2>${rows.join('')}`)
    .join('');
  return frame(
    'H-Video API',
    `<h1>H-Video API</h1><p>All paths are under <code>${API_PREFIX}</code>. The same as
    <a href="/api/openapi.json">OpenAPI 3.1</a>; <a href="/api/docs/errors">errors by code</a>.</p>${sections}`,
  );
}

function operationHtml(method: string, path: string, operation: Operation): string {
  const answers = Object.entries(operation.responses)
    .map(([status, { description }]) => `<tr><td>${status}<td>${Bun.escapeHTML(description)}`)
    .join('');
  const parameters = operation.parameters.map(({ name, in: place }) => `${name} (${place})`).join(', ');
  const body = operation.requestBody
    ? `<pre>${Bun.escapeHTML(JSON.stringify(operation.requestBody, null, 1))}</pre>`
    : '';
  return `<details><summary><code><b>${method.toUpperCase()}</b> ${Bun.escapeHTML(path)}</code> ${Bun.escapeHTML(operation.summary)}</summary>
    ${parameters ? `<p>${Bun.escapeHTML(parameters)}</p>` : ''}${body}<table>${answers}</table></details>`;
}

/** What `type` in a problem document points to. */
export function errorsPage(): string {
  const rows = Object.entries(errorRegistry)
    .map(
      ([code, { status, title, retry, outcome }]) =>
        `<tr id="${code}"><td><code>${code}</code><td>${status}<td>${Bun.escapeHTML(title)}<td>${retry}<td>${outcome}`,
    )
    .join('');
  return frame(
    'H-Video errors',
    `<h1>Errors</h1><table><tr><th>Code<th>Status<th>Meaning<th>Retry<th>Outcome${rows}</table>`,
  );
}

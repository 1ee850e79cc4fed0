import type { VideoCard } from '@hvideo/protocol';
import { AppError } from '../../../kernel/errors.ts';
import type { PageExtras, PageKind } from '../static-files.ts';
import { coverSize, originOf, playerSize, publicVideo, type SharedVideosDeps } from './oembed.ts';

const maxDescription = 200;
/** The page itself waits for nothing; its preview is worth a moment. */
const waitMs = 1_000;

/**
 * What `/v/{id}` and `/embed/{id}` say of a public video to those who run no script: search engines and the previews of
 * chats. For any other video the page is the one that every address has: it does not tell whether there is one.
 */
export function videoPages(deps: SharedVideosDeps): Readonly<Record<string, PageKind>> {
  const extrasBy =
    (make: typeof pageExtras): PageKind['extras'] =>
    async (request, id) => {
      try {
        const card = await publicVideo(
          deps,
          id,
          AbortSignal.any([request.signal, AbortSignal.timeout(waitMs)]),
        );
        return make(card, originOf(request, deps), await deps.instanceName());
      } catch (error) {
        // The app says what is wrong, and tries again.
        if (!(error instanceof AppError)) deps.log.warn({ err: error }, 'a page goes without its preview');
        return undefined;
      }
    };
  return {
    '/v/:id': { file: '/index.html', isFrameable: false, extras: extrasBy(pageExtras) },
    '/embed/:id': { file: '/embed.html', isFrameable: true, extras: extrasBy(embedExtras) },
  };
}

const titleOf = (card: VideoCard, instanceName: string) => `${card.title} · ${instanceName}`;
const descriptionOf = (card: VideoCard, instanceName: string) =>
  shortened(card.description) || `${card.author.displayName} · ${instanceName}`;
const canonical = (url: string) => `<link rel="canonical" href="${Bun.escapeHTML(url)}" />`;

/** The page to be found is the one with everything. */
function embedExtras(card: VideoCard, origin: string, instanceName: string): PageExtras {
  return {
    title: titleOf(card, instanceName),
    description: descriptionOf(card, instanceName),
    head: canonical(`${origin}/v/${card.id}`),
  };
}

function pageExtras(card: VideoCard, origin: string, instanceName: string): PageExtras {
  const url = `${origin}/v/${card.id}`;
  const embed = `${origin}/embed/${card.id}`;
  const description = descriptionOf(card, instanceName);
  const player = playerSize(card);
  const cover = coverSize(card);
  const image = card.coverUrl === null ? undefined : origin + card.coverUrl;
  const properties: readonly (readonly [string, string | undefined])[] = [
    ['og:type', 'video.other'],
    ['og:site_name', instanceName],
    ['og:url', url],
    ['og:title', card.title],
    ['og:description', description],
    ['og:image', image],
    ['og:image:width', image && String(cover.width)],
    ['og:image:height', image && String(cover.height)],
    ['og:video:url', embed],
    ['og:video:secure_url', embed.startsWith('https:') ? embed : undefined],
    ['og:video:type', 'text/html'],
    ['og:video:width', String(player.width)],
    ['og:video:height', String(player.height)],
    ...(card.publishedAt === null ? [] : [['video:release_date', card.publishedAt] as const]),
  ];
  const names: readonly (readonly [string, string | undefined])[] = [
    // Players are framed from secure addresses only; elsewhere a large picture is the next best.
    ['twitter:card', embed.startsWith('https:') ? 'player' : 'summary_large_image'],
    ['twitter:title', card.title],
    ['twitter:description', description],
    ['twitter:image', image],
    ['twitter:player', embed.startsWith('https:') ? embed : undefined],
    ['twitter:player:width', String(player.width)],
    ['twitter:player:height', String(player.height)],
  ];
  const discovery = `${origin}/oembed?format=json&url=${encodeURIComponent(url)}`;
  const head = [
    canonical(url),
    `<link rel="alternate" type="application/json+oembed" href="${Bun.escapeHTML(discovery)}" title="${Bun.escapeHTML(card.title)}" />`,
    ...tags('property', properties),
    ...tags('name', names),
  ].join('\n');
  return { title: titleOf(card, instanceName), description, head };
}

function tags(
  attribute: 'property' | 'name',
  entries: readonly (readonly [string, string | undefined])[],
): string[] {
  return entries.flatMap(([name, content]) =>
    content === undefined ? [] : [`<meta ${attribute}="${name}" content="${Bun.escapeHTML(content)}" />`],
  );
}

/** In one line, by whole characters. */
function shortened(text: string): string {
  const characters = [...text.replaceAll(/\s+/g, ' ').trim()];
  return characters.length <= maxDescription
    ? characters.join('')
    : `${characters.slice(0, maxDescription - 1).join('')}…`;
}

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { fitInto } from '../../src/transport/http/routes/oembed.ts';
import { ApiUser } from '../support/api.ts';
import { type RunningApplication, runApplication } from '../support/application.ts';
import { Snowflakes } from '../support/snowflakes.ts';

let folder: string;
let t: RunningApplication;
let author: ApiUser;
let videoId: string;
const ids = new Snowflakes();
const hostile = `"><script>alert('$&')</script>&amp;`;

const page = (name: string) =>
  `<!doctype html><html lang="en"><head><title>H-Video</title><meta name="description" content="none" /></head><body>${name}</body></html>`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hvideo-oembed-'));
  await Bun.write(join(folder, 'index.html'), page('app'));
  await Bun.write(join(folder, 'embed.html'), page('embed'));
  t = await runApplication({}, folder);
  author = await new ApiUser(t.url).join('author', '/instance/setup');
}, 60_000);

afterAll(async () => {
  await t[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  videoId = await publish();
});

async function publish(
  fields: { title?: string; visibility?: string; width?: number; height?: number } = {},
) {
  const { title = 'A walk', visibility = 'public', width = 1080, height = 1920 } = fields;
  const id = ids.next();
  await t.db.sql`
    insert into video (id, author_id, title, description, tags, visibility, status, feed_key, duration_ms, width, height,
      renditions, cover_file)
    values (${id}, ${author.id}, ${title}, 'Down by  the river', '{}', ${visibility}, 'ready', ${id}, 1000, ${width},
      ${height}, ${['360p']}::jsonb, 'cover.jpg')`;
  await t.db.sql`update account_counts set videos = videos + 1 where account_id = ${author.id}`;
  // Its id is older than any that the server makes: until it is told, there can be no such video.
  t.features.exists.noteRows([`video:id=${id}`]);
  return id;
}

const linkTo = (id: string) => `${t.url}/v/${id}`;

interface Oembed {
  readonly title: string;
  readonly html: string;
  readonly width: number;
  readonly height: number;
  readonly thumbnail_url: string;
  /** Of a refusal. */
  readonly code?: string;
}

async function oembed(query: Record<string, string>) {
  const response = await fetch(`${t.url}/oembed?${new URLSearchParams(query)}`);
  return { status: response.status, headers: response.headers, body: (await response.json()) as Oembed };
}

/** The attributes of the one element in the text, as a browser reads them. */
async function attributesOf(html: string, element: string): Promise<Map<string, string>[]> {
  const found: Map<string, string>[] = [];
  const rewriter = new HTMLRewriter().on(element, {
    element: (each) => {
      found.push(new Map(each.attributes as Iterable<[string, string]>));
    },
  });
  await rewriter.transform(new Response(html)).text();
  return found;
}

const unescaped = (text: string | undefined) =>
  text
    ?.replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&');

describe('GET /oembed', () => {
  test('answers with a player of the video’s shape', async () => {
    const { status, headers, body } = await oembed({ url: linkTo(videoId), format: 'json' });
    expect(status).toBe(200);
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(body).toMatchObject({
      ...{ version: '1.0', type: 'video', title: 'A walk', author_name: 'author', provider_name: 'H-Video' },
      ...{ width: 360, height: 640, thumbnail_width: 720, thumbnail_height: 1280 },
      author_url: `${t.url}/@author`,
      provider_url: `${t.url}/`,
    });
    expect(body.thumbnail_url).toStartWith(`${t.url}/media/v/`);
    const [frame] = await attributesOf(body.html, 'iframe');
    expect(Object.fromEntries(frame ?? [])).toMatchObject({
      ...{ src: `${t.url}/embed/${videoId}`, width: '360', height: '640' },
      title: 'A walk',
    });
  });

  test('fits into the limits that are asked for', async () => {
    const small = await oembed({ url: linkTo(videoId), maxwidth: '300', maxheight: '320' });
    expect([small.body.width, small.body.height]).toEqual([180, 320]);
    videoId = await publish({ width: 1920, height: 1080 });
    const wide = await oembed({ url: `${t.url}/embed/${videoId}`, maxwidth: '320' });
    expect([wide.body.width, wide.body.height]).toEqual([320, 180]);
    for (const maxwidth of ['0', '-1', 'x', '1e3'])
      expect((await oembed({ url: linkTo(videoId), maxwidth })).body.code).toBe('invalid-request');
  });

  test('keeps the shape and never exceeds a limit', () => {
    const edge = fc.integer({ min: 1, max: 8_000 });
    fc.assert(
      fc.property(edge, edge, edge, edge, (width, height, maxWidth, maxHeight) => {
        const fitted = fitInto({ width, height }, maxWidth, maxHeight);
        expect(fitted.width >= 1 && fitted.width <= maxWidth).toBe(true);
        expect(fitted.height >= 1 && fitted.height <= maxHeight).toBe(true);
        // One of the two is used up.
        expect(fitted.width === maxWidth || fitted.height === maxHeight).toBe(true);
      }),
    );
  });

  test('speaks JSON only, and of nothing but videos of this server', async () => {
    expect((await oembed({ url: linkTo(videoId), format: 'xml' })).status).toBe(501);
    const elsewhere = [
      `https://example.org/v/${videoId}`,
      `${t.url}/@author`,
      `javascript:${videoId}`,
      '',
      'x',
    ];
    for (const url of [...elsewhere, linkTo('1'), linkTo('99999999999999999999'), linkTo('%00')])
      expect([url, (await oembed({ url })).status]).toEqual([url, 404]);
    expect((await fetch(`${t.url}/oembed?url=${linkTo(videoId)}`, { method: 'POST' })).status).toBe(405);
  });

  test.each(['private', 'followers', 'unlisted'])(
    'does not tell of a video that is %s',
    async (visibility) => {
      videoId = await publish({ visibility });
      expect((await oembed({ url: linkTo(videoId) })).status).toBe(404);
      const html = await (await fetch(linkTo(videoId))).text();
      expect(html).toBe(page('app'));
      expect(await (await fetch(`${t.url}/embed/${videoId}`)).text()).toBe(page('embed'));
    },
  );

  test('a deleted or withdrawn video is gone from the next request on', async () => {
    const other = await publish();
    const paths = (id: string) => [`/oembed?url=${encodeURIComponent(linkTo(id))}`, `/v/${id}`];
    for (const path of [...paths(videoId), ...paths(other)])
      expect((await fetch(t.url + path)).status).toBe(200);
    await author.call('DELETE', `/videos/${videoId}`);
    await author.call('POST', `/videos/${other}/takedown`, { body: { reason: 'x' } });
    for (const id of [videoId, other]) {
      expect((await oembed({ url: linkTo(id) })).status).toBe(404);
      expect(await (await fetch(linkTo(id))).text()).toBe(page('app'));
    }
  });

  test('a hostile title stays text wherever it appears', async () => {
    videoId = await publish({ title: hostile });
    const { body } = await oembed({ url: linkTo(videoId) });
    expect(body.title).toBe(hostile);
    expect(await attributesOf(body.html, 'script')).toEqual([]);
    const [frame] = await attributesOf(body.html, 'iframe');
    expect(unescaped(frame?.get('title'))).toBe(hostile);
    for (const path of [`/v/${videoId}`, `/embed/${videoId}`]) {
      const html = await (await fetch(t.url + path)).text();
      expect(await attributesOf(html, 'script')).toEqual([]);
      expect(unescaped(/<title>([^<]*)<\/title>/.exec(html)?.[1])).toBe(`${hostile} · H-Video`);
    }
  });
});

describe('pages of videos', () => {
  test('tell previews and oEmbed consumers what they show', async () => {
    const html = await (await fetch(linkTo(videoId))).text();
    const [link] = await attributesOf(html, 'link[type="application/json+oembed"]');
    const discovered = await fetch(unescaped(link?.get('href')) ?? '');
    expect(await discovered.json()).toMatchObject({ type: 'video', title: 'A walk' });
    const metas = await attributesOf(html, 'meta');
    const said = new Map(
      metas.map((meta) => [meta.get('property') ?? meta.get('name'), meta.get('content')]),
    );
    expect(Object.fromEntries(said)).toMatchObject({
      'og:title': 'A walk',
      'og:description': 'Down by the river',
      'og:url': linkTo(videoId),
      'og:video:url': `${t.url}/embed/${videoId}`,
      'og:video:width': '360',
      'twitter:card': 'summary_large_image',
      description: 'Down by the river',
    });
    expect(said.get('og:image')).toStartWith(`${t.url}/media/v/`);
    expect(html.match(/<title>/g)?.length).toBe(1);
  });

  test('are asked for again only when they have changed', async () => {
    const first = await fetch(linkTo(videoId));
    const etag = first.headers.get('etag') ?? '';
    const again = () => fetch(linkTo(videoId), { headers: { 'if-none-match': etag } });
    expect((await again()).status).toBe(304);
    await author.call('PATCH', `/videos/${videoId}`, { body: { title: 'Another walk' } });
    const changed = await again();
    expect([changed.status, await changed.text()]).toEqual([200, expect.stringContaining('Another walk')]);
  });

  test('only the embedded player may be framed by other sites', async () => {
    const framing = async (path: string) =>
      /frame-ancestors ([^;]*)/.exec(
        (await fetch(t.url + path)).headers.get('content-security-policy') ?? '',
      )?.[1];
    expect(await framing(`/embed/${videoId}`)).toBe('*');
    expect(await framing('/embed/1')).toBe('*');
    for (const path of ['/', `/v/${videoId}`, '/v/1', '/settings', '/embed', '/embed/1/2', '/embed.html'])
      expect([path, await framing(path)]).toEqual([path, "'self'"]);
  });
});

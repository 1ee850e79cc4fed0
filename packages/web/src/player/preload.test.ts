import { expect, test } from 'bun:test';
import { Preloader } from './preload.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const settle = async () => {
  for (let at = 0; at < 20; at += 1) await turn();
};
const at = (name: string) => `https://clips.example/${name}/master.m3u8`;

function text(url: string): string {
  if (url.endsWith('master.m3u8')) return '#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8';
  return url.endsWith('v.m3u8') ? '#EXT-X-MAP:URI="init.mp4"\n#EXTINF:2,\ns0.m4s\n#EXTINF:2,\ns1.m4s' : '';
}

test('the beginnings of clips are read in their order, once', async () => {
  const read: string[] = [];
  const loader = new Preloader(async (url) => {
    read.push(url.replace('https://clips.example/', ''));
    return text(url);
  });
  loader.want([at('a'), at('b')]);
  await settle();
  const files = (name: string) =>
    ['master.m3u8', 'v.m3u8', 'init.mp4', 's0.m4s'].map((file) => `${name}/${file}`);
  expect(read).toEqual([...files('a'), ...files('b')]);
  loader.want([at('b'), at('c')]);
  await settle();
  expect(read.slice(8)).toEqual(files('c'));
});

test('what is scrolled away is given up, and what comes next is read', async () => {
  const aborted: string[] = [];
  const read: string[] = [];
  const loader = new Preloader(async (url, signal) => {
    read.push(url);
    if (!url.includes('/slow/')) return text(url);
    await new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted.push(url);
        reject(signal.reason);
      });
    });
    return '';
  });
  loader.want([at('slow'), at('never')]);
  await settle();
  loader.want([at('next')]);
  await settle();
  expect(aborted).toEqual([at('slow')]);
  expect(read).toContain('https://clips.example/next/s0.m4s');
  expect(read).not.toContain(at('never'));
  loader.want([]);
  await settle();
  expect(read.length).toBe(5);
});

test('a clip that cannot be read is left to the player', async () => {
  let tries = 0;
  const loader = new Preloader(async () => {
    tries += 1;
    throw new Error('404');
  });
  loader.want([at('gone')]);
  await settle();
  loader.want([at('gone')]);
  await settle();
  expect(tries).toBe(1);
});

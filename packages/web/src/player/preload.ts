import { startEstimate } from './hls.ts';
import { firstFiles, startingVariant, variantsOf } from './playlist.ts';

/** Reads one file to its end, into the browser's cache. */
export type Fetch = (url: string, signal: AbortSignal) => Promise<string>;

const mostRemembered = 64;

/**
 * Has the beginnings of clips in the browser's cache before they are scrolled to: playlists, the head of the file and the
 * first segment. One clip after another; what is no longer wanted is given up in the middle.
 */
export class Preloader {
  readonly #fetch: Fetch;
  readonly #done = new Set<string>();
  #queue: readonly string[] = [];
  #running: { url: string; controller: AbortController } | undefined;

  constructor(fetchFile: Fetch) {
    this.#fetch = fetchFile;
  }

  /** Playlists of the clips to come, the next one first. An empty list stops everything. */
  want(urls: readonly string[]): void {
    this.#queue = urls;
    if (this.#running && !urls.includes(this.#running.url)) this.#running.controller.abort();
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      const url = this.#queue.find((wanted) => !this.#done.has(wanted));
      if (url === undefined) return;
      const controller = new AbortController();
      this.#running = { url, controller };
      try {
        await this.#load(url, controller.signal);
        this.#remember(url);
      } catch {
        // Nobody waits for it: the player asks again, and says what is wrong.
        if (!controller.signal.aborted) this.#remember(url);
      } finally {
        this.#running = undefined;
      }
    }
  }

  async #load(url: string, signal: AbortSignal): Promise<void> {
    const variant = startingVariant(variantsOf(await this.#fetch(url, signal), url), startEstimate);
    if (!variant) return;
    const files = firstFiles(await this.#fetch(variant.url, signal), variant.url);
    for (const file of files) await this.#fetch(file, signal);
  }

  #remember(url: string): void {
    this.#done.add(url);
    const [oldest] = this.#done;
    if (this.#done.size > mostRemembered && oldest !== undefined) this.#done.delete(oldest);
  }
}

/** Behind everything else that the page loads. */
export async function fetchQuietly(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, priority: 'low' });
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  return /mpegurl/i.test(response.headers.get('content-type') ?? '')
    ? response.text()
    : response.arrayBuffer().then(() => '');
}

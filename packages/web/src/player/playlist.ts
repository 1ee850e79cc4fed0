export interface Variant {
  readonly url: string;
  readonly bandwidth: number;
}

const resolve = (path: string, base: string) => new URL(path, base).href;

/** The renditions that a master playlist names. */
export function variantsOf(text: string, base: string): Variant[] {
  const lines = text.split(/\r?\n/);
  return lines.flatMap((line, at) => {
    const bandwidth = /^#EXT-X-STREAM-INF:(?:.*[:,])?BANDWIDTH=(\d+)/.exec(line)?.[1];
    const path = lines[at + 1];
    return bandwidth && path && !path.startsWith('#')
      ? [{ url: resolve(path, base), bandwidth: Number(bandwidth) }]
      : [];
  });
}

/** The one that a player begins with when it knows nothing but this estimate: the best that fits, or the smallest. */
export function startingVariant(variants: readonly Variant[], bitsPerSecond: number): Variant | undefined {
  const sorted = [...variants].sort((left, right) => left.bandwidth - right.bandwidth);
  return sorted.findLast(({ bandwidth }) => bandwidth <= bitsPerSecond) ?? sorted[0];
}

/** What the first picture is made of: the head of the file and the first segment. */
export function firstFiles(text: string, base: string): string[] {
  const head = /^#EXT-X-MAP:.*URI="([^"]+)"/m.exec(text)?.[1];
  const segment = text.split(/\r?\n/).find((line) => line !== '' && !line.startsWith('#'));
  return [head, segment].flatMap((path) => (path ? [resolve(path, base)] : []));
}

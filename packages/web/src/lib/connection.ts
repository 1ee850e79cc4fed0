interface Connection {
  readonly saveData?: boolean;
  readonly effectiveType?: string;
}

const connection = (): Connection | undefined => (navigator as { connection?: Connection }).connection;

/** The device asks for little to be loaded. */
export const savesData = () => connection()?.saveData === true;

/** How many clips may be loaded ahead of the next one, as far as the browser says what the network is like. */
export function clipsAhead(from = connection()): number {
  if (from?.saveData === true || /2g$/.test(from?.effectiveType ?? '')) return 0;
  return from?.effectiveType === '3g' ? 1 : 3;
}

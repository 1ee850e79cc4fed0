import { describe, expect, test } from 'bun:test';
import type { Clock } from '../../kernel/clock.ts';
import { AppError } from '../../kernel/errors.ts';
import { createMediaLinks, publicAudience } from './links.ts';

const keyOf = (kid: string) => ({ kid, secret: Buffer.alloc(32, kid).toString('base64url') });
const clockAt = (time: { ms: number }): Clock => ({
  nowMs: () => time.ms,
  monotonicMs: () => time.ms,
  sleep: async () => {},
  after: () => ({ [Symbol.dispose]: () => {} }),
  every: () => ({ [Symbol.dispose]: () => {} }),
});
const hour = 3_600_000;
const codeOf = (work: () => unknown) => {
  try {
    work();
    return 'valid';
  } catch (error) {
    return error instanceof AppError ? error.code : 'bug';
  }
};
const tokenOf = (base: string) => base.split('/')[3] ?? '';

describe('media links', () => {
  const time = { ms: 1_000_000 * hour };
  const links = createMediaLinks([keyOf('a')], clockAt(time));

  test('are valid for 2 to 4 hours, and equal within a slot', () => {
    for (const start of [0, 0.5, 1.99]) {
      time.ms = (1_000_000 + start) * hour;
      const base = links.base('42', publicAudience);
      const lifeMs = links.verify(tokenOf(base), '42').expiresAtMs - time.ms;
      expect(lifeMs).toBeGreaterThan(2 * hour);
      expect(lifeMs).toBeLessThanOrEqual(4 * hour);
      time.ms = 1_000_000 * hour;
      expect(links.base('42', publicAudience)).toBe(base);
    }
    const old = tokenOf(links.base('42', publicAudience));
    time.ms += 4 * hour;
    expect(codeOf(() => links.verify(old, '42'))).toBe('link-expired');
  });

  test('hold for one video, one audience, one time', () => {
    const token = tokenOf(links.base('42', '7'));
    const [expiry = '', , tag = ''] = token.split('.');
    expect(links.verify(token, '42').audience).toBe('7');
    expect(codeOf(() => links.verify(token, '43'))).toBe('not-found');
    for (const forged of [
      `${expiry}.p.${tag}`,
      `${expiry}.8.${tag}`,
      `${expiry}z.7.${tag}`,
      `${expiry}.7.${'A'.repeat(43)}`,
      `${expiry}.7.`,
      '',
      token.slice(1),
    ])
      expect(codeOf(() => links.verify(forged, '42'))).toBe('not-found');
  });

  test('an older key still verifies, and an unknown one does not', () => {
    const token = tokenOf(links.base('42', publicAudience));
    const rotated = createMediaLinks([keyOf('b'), keyOf('a')], clockAt(time));
    expect(rotated.verify(token, '42').audience).toBe(publicAudience);
    const dropped = createMediaLinks([keyOf('b')], clockAt(time));
    expect(codeOf(() => dropped.verify(token, '42'))).toBe('not-found');
  });
});

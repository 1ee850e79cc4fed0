import { describe, expect, test } from 'bun:test';
import { negotiateSubprotocol, negotiateVersion, STOMP_SUBPROTOCOLS, subprotocolOf } from './versions.ts';

describe('versions', () => {
  test.each([
    ['1.2', '1.2'],
    ['1.0,1.1,2.0', '1.1'],
    ['1.2,1.1,1.0', '1.2'],
    ['1.0, 1.2', '1.2'],
    [undefined, '1.0'],
  ] as const)('accept-version %s: %s', (offered, version) => {
    expect(negotiateVersion(offered)).toBe(version);
  });

  test.each(['', '2.0', '1.20', '1', 'x'.repeat(100_000)])(
    'accept-version %s has none of ours',
    (offered) => {
      expect(() => negotiateVersion(offered)).toThrow('unsupported-version');
    },
  );

  test('have subprotocols, of which the highest is answered', () => {
    expect(STOMP_SUBPROTOCOLS).toEqual(['v12.stomp', 'v11.stomp', 'v10.stomp']);
    expect(subprotocolOf('1.1')).toBe('v11.stomp');
    expect(negotiateSubprotocol('v10.stomp, v11.stomp,v12.stomp')).toBe('v12.stomp');
    expect(negotiateSubprotocol('chat, v10.stomp')).toBe('v10.stomp');
    expect(negotiateSubprotocol('chat')).toBeUndefined();
    expect(negotiateSubprotocol(undefined)).toBeUndefined();
  });
});

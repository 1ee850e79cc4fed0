import { expect, test } from 'bun:test';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keysPath, loadSecrets, rotateSecrets } from './secrets.ts';

test('of many first starts in one folder one makes the keys, and all use them', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'hvideo-keys-'));
  try {
    const starts = await Promise.all(
      Array.from({ length: 20 }, () => loadSecrets({ keysJson: undefined, dataDir })),
    );
    for (const secrets of starts) expect(secrets).toEqual(starts[0]!);
    expect(await Bun.file(keysPath(dataDir)).json()).toEqual(starts[0]!);
    expect(await readdir(join(dataDir, 'keys'))).toEqual(['keys.json']);
    await rotateSecrets(dataDir);
    const rotated = await loadSecrets({ keysJson: undefined, dataDir });
    expect(rotated.jwt[0]).not.toEqual(starts[0]!.jwt[0]!);
    expect(rotated.jwt[1]).toEqual(starts[0]!.jwt[0]!);
    expect(await readdir(join(dataDir, 'keys'))).toEqual(['keys.json']);
  } finally {
    await rm(dataDir, { recursive: true });
  }
});

import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { findViolations, ruleNames } from './dependencies.ts';

const server = 'packages/server/src';

/** For each rule one import that breaks it: [from, to]. */
const breaches: Record<string, [from: string, to: string]> = {
  'kernel-imports-nothing': [`${server}/kernel/clock.ts`, `${server}/ports/bus/port.ts`],
  'ports-know-the-kernel': [`${server}/ports/bus/port.ts`, 'packages/protocol/src/index.ts'],
  'cache-knows-ports': [`${server}/cache/cache.ts`, `${server}/features/videos/index.ts`],
  'others-meet-the-cache-at-its-index': [
    `${server}/features/videos/reads.ts`,
    `${server}/cache/level-one.ts`,
  ],
  'features-know-ports': [`${server}/features/chat/service.ts`, `${server}/adapters/redis/bus.ts`],
  'adapters-know-ports': [`${server}/adapters/redis/bus.ts`, `${server}/features/chat/index.ts`],
  'transport-knows-features': [`${server}/transport/http/server.ts`, `${server}/adapters/redis/bus.ts`],
  'roles-do-not-choose-adapters': [`${server}/roles/worker.ts`, `${server}/adapters/redis/bus.ts`],
  'config-knows-the-kernel': [`${server}/config/config.ts`, `${server}/ports/bus/port.ts`],
  'demo-uses-features': [`${server}/demo/people.ts`, `${server}/adapters/redis/bus.ts`],
  'features-meet-at-their-index': [`${server}/features/chat/service.ts`, `${server}/features/graph/store.ts`],
  'others-meet-features-at-their-index': [
    `${server}/transport/http/routes.ts`,
    `${server}/features/graph/store.ts`,
  ],
  'adapters-do-not-meet': [`${server}/adapters/redis/bus.ts`, `${server}/adapters/postgres/sql.ts`],
  'no-circles': [`${server}/features/chat/index.ts`, `${server}/features/graph/index.ts`],
  'protocol-imports-nothing': ['packages/protocol/src/index.ts', 'packages/client/src/index.ts'],
  'protocol-knows-no-platform': ['packages/protocol/src/index.ts', 'node:fs'],
  'stomp-imports-nothing': ['packages/protocol/src/stomp/frame.ts', 'packages/protocol/src/common.ts'],
  'client-knows-the-protocol': ['packages/client/src/index.ts', `${server}/kernel/errors.ts`],
  'web-knows-client-and-protocol': ['packages/web/src/main.tsx', `${server}/kernel/errors.ts`],
  'nothing-imports-main': [`${server}/features/chat/service.ts`, `${server}/main/serve.ts`],
};

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

/** A tree in which `from` imports `to`, and `to` imports `from` when a circle is wanted. */
function treeWith(from: string, to: string, circle: boolean): string {
  const root = mkdtempSync(join(tmpdir(), 'hvideo-dependencies-'));
  folders.push(root);
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  const specifier = (a: string, b: string) => (b.startsWith('node:') ? b : `./${relative(dirname(a), b)}`);
  write(
    from,
    `import type { Thing } from '${specifier(from, to)}';\nexport const one: Thing | undefined = undefined;\n`,
  );
  if (!to.startsWith('node:')) {
    const back = circle ? `import { one } from '${specifier(to, from)}';\nexport const two = one;\n` : '';
    write(to, `${back}export type Thing = number;\n`);
  }
  return root;
}

describe('the direction of dependencies', () => {
  test('has a breach for every rule', () => {
    expect(Object.keys(breaches).sort()).toEqual([...ruleNames].sort());
  });

  for (const [rule, [from, to]] of Object.entries(breaches)) {
    test(`${rule} refuses ${from} -> ${to}`, async () => {
      const root = treeWith(from, to, rule === 'no-circles');
      const violations = await findViolations(root, ['packages']);
      expect(violations.map((violation) => violation.rule)).toContain(rule);
    });
  }

  test('holds in this repository', async () => {
    const root = join(import.meta.dir, '..');
    expect(await findViolations(root, ['packages'])).toEqual([]);
  });
});

/**
 * The direction of dependencies between the rooms of the house. Each rule has a fixture in
 * `scripts/fixtures/dependencies` that breaks it, so that a rule which can no longer fail is noticed.
 */
const server = '^packages/server/src';

/** `from` may import itself and `allowed`, nothing else of ours. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: '^packages/', pathNot: [from, ...allowed] },
});

module.exports = {
  forbidden: [
    only('kernel-imports-nothing', `${server}/kernel/`, [], 'The kernel is the ground: it knows nobody.'),
    only('ports-know-the-kernel', `${server}/ports/`, [`${server}/kernel/`], 'Ports are specifications.'),
    only(
      'cache-knows-ports',
      `${server}/cache/`,
      [`${server}/kernel/`, `${server}/ports/`],
      'The cache serves every feature and knows none.',
    ),
    only(
      'features-know-ports',
      `${server}/features/`,
      [`${server}/kernel/`, `${server}/ports/`, `${server}/cache/`, '^packages/protocol/'],
      'Features reach the world through ports and the cache; adapters are chosen for them.',
    ),
    {
      name: 'others-meet-the-cache-at-its-index',
      comment: 'How the cache works inside is its own business.',
      severity: 'error',
      from: { path: `${server}/(features|transport|roles|demo|main)`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}/cache/`, pathNot: '/index\\.ts$' },
    },
    only(
      'adapters-know-ports',
      `${server}/adapters/`,
      [`${server}/kernel/`, `${server}/ports/`],
      'Adapters fulfil ports.',
    ),
    only(
      'transport-knows-features',
      `${server}/transport/`,
      [`${server}/kernel/`, `${server}/ports/`, `${server}/features/`, '^packages/protocol/'],
      'Transport decodes, calls a feature, encodes.',
    ),
    only(
      'roles-do-not-choose-adapters',
      `${server}/roles/`,
      [
        `${server}/kernel/`,
        `${server}/ports/`,
        `${server}/cache/`,
        `${server}/features/`,
        `${server}/transport/`,
      ],
      'Only main chooses adapters.',
    ),
    only(
      'config-knows-the-kernel',
      `${server}/config/`,
      [`${server}/kernel/`],
      'Settings know nobody who uses them.',
    ),
    only(
      'demo-uses-features',
      `${server}/demo/`,
      [`${server}/kernel/`, `${server}/ports/`, `${server}/features/`, '^packages/protocol/'],
      'The demo community is made through the same features as any other.',
    ),
    {
      name: 'features-meet-at-their-index',
      comment: 'A feature reaches another only through its index.ts.',
      severity: 'error',
      from: { path: `${server}/features/([^/]+)/` },
      to: { path: `${server}/features/([^/]+)/`, pathNot: [`${server}/features/$1/`, '/index\\.ts$'] },
    },
    {
      name: 'others-meet-features-at-their-index',
      comment: 'What a feature keeps inside is its own business.',
      severity: 'error',
      from: { path: `${server}/(transport|roles|demo|main)`, pathNot: '\\.test\\.ts$' },
      to: { path: `${server}/features/[^/]+/`, pathNot: '/index\\.ts$' },
    },
    {
      name: 'adapters-do-not-meet',
      comment: 'One technology knows nothing of another.',
      severity: 'error',
      from: { path: `${server}/adapters/([^/]+)/` },
      to: { path: `${server}/adapters/([^/]+)/`, pathNot: `${server}/adapters/$1/` },
    },
    {
      name: 'no-circles',
      comment: 'What needs each other is one thing.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    only('protocol-imports-nothing', '^packages/protocol/', [], 'The protocol is shared by everybody.'),
    {
      name: 'protocol-knows-no-platform',
      comment: 'The protocol runs in browsers and servers alike.',
      severity: 'error',
      from: { path: '^packages/protocol/src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'stomp-imports-nothing',
      comment: 'The codec is fetched by every browser that chats: no schemas, no libraries.',
      severity: 'error',
      from: { path: '^packages/protocol/src/stomp/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^packages/protocol/src/stomp/' },
    },
    only(
      'client-knows-the-protocol',
      '^packages/client/',
      ['^packages/protocol/'],
      'The SDK speaks the protocol.',
    ),
    {
      ...only(
        'web-knows-client-and-protocol',
        '^packages/web/',
        ['^packages/client/', '^packages/protocol/'],
        'The web app is a client like any other. (One of its tests reads the error registry, to see that each has a text.)',
      ),
      from: { path: '^packages/web/', pathNot: '\\.test\\.tsx?$' },
    },
    {
      name: 'nothing-imports-main',
      comment: 'The composition root is the root.',
      severity: 'error',
      from: { path: '^packages/', pathNot: [`${server}/main`, '\\.test\\.ts$', '^packages/server/test/'] },
      to: { path: `${server}/main` },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|fixtures/hostile)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'default', 'types'] },
  },
};

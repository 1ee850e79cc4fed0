import { expect, test } from 'bun:test';
import { routeTableContract } from '../../ports/route-table/contract.ts';
import { aloneRouteTable, MemoryRoutes } from './route-table.ts';

routeTableContract('memory', async () => {
  let nowMs = 1;
  const routes = new MemoryRoutes({ clock: { monotonicMs: () => nowMs } });
  return {
    open: async (name, identity) => routes.open(name, identity),
    expire: async (renewing) => {
      for (let step = 0; step < 4; step += 1) {
        nowMs += 10_000;
        for (const table of renewing) await table.renew();
      }
    },
    lose: async () => routes.lose(),
    close: async () => {},
  };
});

test('a process that is alone finds nobody, at once', () => {
  aloneRouteTable.add(['1']);
  expect(aloneRouteTable.nodesOf(['1', '2'])).toEqual([[], []]);
  expect(aloneRouteTable.renew()).toBe(true);
});

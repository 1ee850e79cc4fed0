import { api, type OperationsReport } from '@hvideo/protocol';
import { type Route, route } from '../route.ts';

export function operationsRoutes(report: () => OperationsReport): Route[] {
  return [route(api.operations.report, async () => report())];
}

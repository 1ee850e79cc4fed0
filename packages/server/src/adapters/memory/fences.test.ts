import { describe } from 'bun:test';
import { fencesContract } from '../../ports/fences/contract.ts';
import { MemoryFences } from './fences.ts';

describe('MemoryFences', () => {
  fencesContract(async () => ({
    open: (load) => MemoryFences.open(load),
    [Symbol.asyncDispose]: async () => {},
  }));
});

/** Work that is done again and again; each call is one operation. */
export type Operation = () => PromiseLike<unknown>;

export interface LanesOptions {
  /** How many run at once, each waiting for its own before the next. */
  readonly lanes: number;
  /** For each operation, over all rounds. */
  readonly seconds: number;
}

const rounds = 4;

/**
 * Operations per second of each, measured in turns: what else the machine does meanwhile hits all of them alike.
 * The first round warms up and is not counted.
 */
export async function measureInTurns<Name extends string>(
  operations: Readonly<Record<Name, Operation>>,
  options: LanesOptions,
): Promise<Record<Name, number>> {
  const names = Object.keys(operations) as Name[];
  const done = Object.fromEntries(names.map((name) => [name, { count: 0, ms: 0 }])) as Record<
    Name,
    { count: number; ms: number }
  >;
  const roundMs = (options.seconds * 1000) / rounds;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const result = await runLanes(operations[name], options.lanes, roundMs);
      if (round === 0) continue;
      done[name].count += result.count;
      done[name].ms += result.ms;
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, Math.round((done[name].count * 1000) / done[name].ms)]),
  ) as Record<Name, number>;
}

async function runLanes(
  operation: Operation,
  lanes: number,
  forMs: number,
): Promise<{ count: number; ms: number }> {
  const startedAtMs = performance.now();
  let count = 0;
  const lane = async () => {
    while (performance.now() - startedAtMs < forMs) {
      await operation();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { count, ms: performance.now() - startedAtMs };
}

export const ratioOf = (figure: number, yardstick: number) => Number((figure / yardstick).toFixed(2));

import type { Clock } from '../../../kernel/clock.ts';
import type { Logger } from '../../../kernel/log.ts';
import type { Bus } from '../../../ports/bus/port.ts';
import type { Costs, Measured } from './costs.ts';

const topic = 'timeline-costs';
const tellEveryMs = 10_000;

interface Told {
  readonly from: string;
  readonly pushes: Measured;
  readonly pulls: Measured;
}

export interface SharedCostsDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly bus: Bus;
  /** Of this process; no other has it. */
  readonly nodeName: string;
}

/**
 * Whoever decides by costs may have measured only one of them: workers push, and pages are read, and pull, elsewhere. So
 * processes tell each other what they have measured. A message that is lost is one sample less.
 */
export async function shareCosts(costs: Costs, deps: SharedCostsDeps): Promise<AsyncDisposable> {
  const { bus, clock, log, nodeName: from } = deps;
  const listening = await bus.subscribe(topic, {
    onMessage: (message) => {
      const told: Told = JSON.parse(new TextDecoder().decode(message));
      if (told.from !== from) costs.hear(told);
    },
    onGap: () => undefined,
  });
  const telling = clock.every(tellEveryMs, async () => {
    const measured = costs.takeMeasured();
    if (measured.pushes.count + measured.pulls.count === 0) return;
    const told: Told = { from, ...measured };
    await bus
      .publish(topic, new TextEncoder().encode(JSON.stringify(told)))
      .catch((error: unknown) => log.debug({ error: String(error) }, 'costs were not told'));
  });
  return {
    async [Symbol.asyncDispose]() {
      telling[Symbol.dispose]();
      await listening[Symbol.asyncDispose]();
    },
  };
}

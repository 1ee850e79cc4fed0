import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { Histogram } from './histogram.ts';

/** One registry for each process, so that tests can run several servers side by side. */
export class Metrics {
  readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    /** Asked when the metrics are read, so that what is counted often is a plain number where it is counted. */
    counts: () => Iterable<readonly [Readonly<Record<Label, string>>, number]>,
  ): Counter<Label> {
    return new Counter({
      name: `hvideo_${name}`,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const [labels, count] of counts()) this.inc(labels, count);
      },
    });
  }

  /** `collect` is called when the metrics are read. */
  gauge(name: string, help: string, collect: () => number | Promise<number>): Gauge {
    return new Gauge({
      name: `hvideo_${name}`,
      help,
      registers: [this.registry],
      async collect() {
        this.set(await collect());
      },
    });
  }

  /** Where times are counted so often that it matters what that costs. */
  durations(name: string, help: string, label: string): Histogram {
    return this.#histogram(new Histogram(`hvideo_${name}`, help, label));
  }

  /** The same of what is no time. */
  sizes(name: string, help: string, label: string, bounds: readonly number[]): Histogram {
    return this.#histogram(new Histogram(`hvideo_${name}`, help, label, bounds));
  }

  #histogram(histogram: Histogram): Histogram {
    // The registry asks nothing but `get` of a metric; its types name the library's own classes only.
    this.registry.registerMetric(histogram as unknown as Metric);
    return histogram;
  }

  /** The Prometheus text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }
}

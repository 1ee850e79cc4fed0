const boundsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Series {
  /** How many lay at or under each bound and above the one before; the last is for all above. */
  readonly buckets: Float64Array;
  sum: number;
}

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * A histogram of seconds, or of what else there are bounds for, by one label, kept as plain numbers where they are counted and put into words when the metrics
 * are read: the library’s own costs each request a microsecond.
 */
export class Histogram {
  readonly name: string;
  readonly help: string;
  readonly #label: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor(name: string, help: string, label: string, bounds: readonly number[] = boundsSeconds) {
    this.name = name;
    this.help = help;
    this.#label = label;
    this.#bounds = bounds;
  }

  /** Makes the function that counts what took so long, or was so much, under this label. */
  of(value: string): (observed: number) => void {
    const bounds = this.#bounds;
    const buckets = new Float64Array(bounds.length + 1);
    const series: Series = { buckets, sum: 0 };
    this.#series.set(value, series);
    return (observed) => {
      let at = 0;
      while (at < bounds.length && observed > bounds[at]!) at += 1;
      buckets[at] = buckets[at]! + 1;
      series.sum += observed;
    };
  }

  /** As the registry of prom-client asks for it. */
  async get() {
    const { name, help } = this;
    return { name, help, type: 'histogram', aggregator: 'sum', values: [...this.#samples()] };
  }

  *#samples(): Generator<Sample> {
    for (const [value, { buckets, sum }] of this.#series) {
      if (buckets.every((each) => each === 0)) continue;
      const labels = { [this.#label]: value };
      let count = 0;
      for (const [at, each] of buckets.entries()) {
        count += each;
        const le = this.#bounds[at] ?? '+Inf';
        yield { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count };
      }
      yield { metricName: `${this.name}_sum`, labels, value: sum };
      yield { metricName: `${this.name}_count`, labels, value: count };
    }
  }
}

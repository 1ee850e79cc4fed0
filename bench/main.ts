import { readdirSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * `npm run bench -- NAME` prints one JSON line: the figure, and beside it a yardstick measured in the same run, because
 * machines differ and are shared. Quote the ratio.
 */
export interface Benchmark {
  /** What the figure is, in one sentence. */
  readonly about: string;
  run(options: BenchOptions): Promise<Readonly<Record<string, unknown>>>;
}

export interface BenchOptions {
  /** `--plot`: also draw anew what the documentation shows of it. */
  readonly plot: boolean;
}

const names = readdirSync(import.meta.dir)
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.slice(0, -'.bench.ts'.length));

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { plot: { type: 'boolean', default: false } },
});
const [name] = positionals;
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`npm run bench -- NAME, where NAME is one of: ${names.join(', ')}\n`);
  process.exit(1);
}
const { benchmark } = (await import(`./${name}.bench.ts`)) as { benchmark: Benchmark };
const result = await benchmark.run({ plot: values.plot });
process.stdout.write(`${JSON.stringify({ bench: name, ...result })}\n`);
process.exit(0);

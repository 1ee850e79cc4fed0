import { StartError } from '../adapters/postgres/start-error.ts';
import type { Config } from '../config/config.ts';
import { loadSecrets } from '../config/secrets.ts';
import { DEMO_CLIPS, type DemoStatus } from '../demo/index.ts';
import { systemClock } from '../kernel/clock.ts';
import { createLogger } from '../kernel/log.ts';
import { composeApplication } from './compose.ts';
import type { Features } from './features.ts';
import { type OutputOptions, print } from './output.ts';
import { openPlatform } from './platform.ts';
import { stopSignal } from './stop-signal.ts';

export interface SeedOptions extends OutputOptions {
  readonly clips?: string;
}

const pollMs = 300;
/** Longer than any one clip takes on a slow machine. */
const silenceMs = 300_000;

/** Undefined: no demo is asked for. Throws `StartError` for what is not a number of clips. */
export function demoClipsOf(option: boolean | string | undefined): number | undefined {
  if (option === undefined || option === false) return undefined;
  if (option === true) return DEMO_CLIPS;
  const clips = Number(option);
  if (/^\d+$/.test(option) && clips >= 1 && clips <= DEMO_CLIPS) return clips;
  throw new StartError(`"${option}" is not a number of clips.`, `Give a number from 1 to ${DEMO_CLIPS}.`);
}

/** Makes the demo and waits for its last clip. Beside a running server, that server does the work. */
export async function seed(config: Config, options: SeedOptions): Promise<void> {
  const log = createLogger(config.HVIDEO_LOG_LEVEL === 'info' ? 'warn' : config.HVIDEO_LOG_LEVEL);
  const stopping = stopSignal(log);
  const clips = demoClipsOf(options.clips ?? true) ?? DEMO_CLIPS;
  await using resources = new AsyncDisposableStack();
  const platform = resources.use(await openPlatform(config, log, { besideServer: true }));
  const secrets = await loadSecrets({ keysJson: config.HVIDEO_KEYS, dataDir: config.HVIDEO_DATA });
  const roles = platform.besideServer ? [] : config.HVIDEO_ROLES;
  const application = resources.use(
    await composeApplication({ config, log, platform, secrets, demo: true, roles }),
  );
  const { features } = application;
  if (!(await features.demo.begin()))
    throw new StartError(
      'This data folder holds a community already, and demo content is not mixed with it.',
      'Choose an empty folder with --data.',
    );
  await application.startBackground();
  await features.demo.enqueue(clips);
  const stop = new AbortController();
  const ended = await Promise.race([
    follow(features, clips, options, stop.signal),
    stopping.reason.then(() => 'stopped' as const),
  ]);
  stop.abort();
  await application.drain();
  await resources.disposeAsync();
  if (ended !== 'stopped') return;
  process.stderr.write('stopped; the next seed or start goes on from here\n');
  process.exit(130);
}

/** Tells what is new until all is there. */
async function follow(
  { demo }: Features,
  clips: number,
  options: SeedOptions,
  signal: AbortSignal,
): Promise<void> {
  let told = '';
  let toldMs = systemClock.monotonicMs();
  while (!signal.aborted) {
    const status = await demo.status(clips);
    const sentence = sentenceOf(status);
    if (status.complete) return print(options, status, `${sentence}: the demo is complete`);
    if (sentence !== told) {
      if (!options.json) print(options, status, sentence);
      told = sentence;
      toldMs = systemClock.monotonicMs();
    }
    if (systemClock.monotonicMs() - toldMs > silenceMs)
      throw new StartError('Nothing has been added for five minutes.', 'Look into the log of the server.');
    await systemClock.sleep(pollMs);
  }
}

const sentenceOf = ({ people, clips }: DemoStatus) =>
  `${people.made} of ${people.wanted} people, ${clips.made} of ${clips.wanted} clips`;

import { createReadStream } from 'node:fs';
import type { Logger } from '../kernel/log.ts';

/** The descriptor on which the launcher holds a pipe open as long as it lives. */
const launcherPipe = 3;

export interface StopReason {
  readonly text: string;
  readonly exitCode: number;
}

/** Resolves on the first signal, on the launcher's death, or on `fail`; a second signal ends the process at once. */
export function stopSignal(log: Logger): {
  readonly reason: Promise<StopReason>;
  readonly fail: (text: string) => void;
  /** Whether a reason is there already. */
  readonly requested: () => boolean;
} {
  const { promise, resolve: settle } = Promise.withResolvers<StopReason>();
  let stopping = false;
  let requested = false;
  const resolve = (reason: StopReason) => {
    requested = true;
    settle(reason);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping && signal !== 'SIGHUP') {
        log.warn('stopping at once');
        process.exit(1);
      }
      stopping = true;
      resolve({ text: signal, exitCode: 0 });
    });
  }
  if (process.env['HVIDEO_LAUNCHER'] === String(process.ppid)) {
    // Nothing is ever written to this pipe: it only ends, when the launcher is gone.
    const pipe = createReadStream('', { fd: launcherPipe });
    pipe.on('error', () => resolve({ text: 'the launcher is gone', exitCode: 0 }));
    pipe.on('end', () => resolve({ text: 'the launcher is gone', exitCode: 0 }));
    pipe.resume();
  } else if (process.env['npm_lifecycle_event']) {
    // In the launcher's place: npm passes SIGTERM on to its shell, and the shell dies without passing it on.
    const { ppid } = process;
    const watch = setInterval(() => {
      if (process.ppid === ppid) return;
      clearInterval(watch);
      resolve({ text: 'the shell of npm is gone', exitCode: 0 });
    }, 500);
    watch.unref();
  }
  const fail = (text: string) => resolve({ text, exitCode: 1 });
  return { reason: promise, fail, requested: () => requested };
}

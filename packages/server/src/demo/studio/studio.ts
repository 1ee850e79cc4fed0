import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';
import type { Order } from './orders.ts';

export interface Studio {
  /** Carries the order out; its files are there when this resolves. Abort: the painter has ended. */
  paint(order: Order, signal: AbortSignal): Promise<void>;
}

const maxComplaint = 4096;

/**
 * Paints in a process of its own with low priority: pictures are drawn one number after the other, and the server's only
 * thread must stay free for requests. `ffmpeg` is the program's path.
 */
export function openStudio(ffmpeg: string): Studio {
  return {
    async paint(order, signal) {
      signal.throwIfAborted();
      const child = Bun.spawn(
        [process.execPath, join(import.meta.dir, 'painter.ts'), JSON.stringify({ ...order, ffmpeg })],
        // The pipe ends with this process, however it dies, and the painter with the pipe.
        { stdin: 'pipe', stdout: 'ignore', stderr: 'pipe', windowsHide: true },
      );
      const end = () => child.kill('SIGTERM');
      signal.addEventListener('abort', end, { once: true });
      try {
        const [complaint, exitCode] = await Promise.all([new Response(child.stderr).text(), child.exited]);
        signal.throwIfAborted();
        if (exitCode === 0) return;
        const cause = new Error(complaint.trim().slice(-maxComplaint));
        throw new AppError('internal', { detail: `The painter ended with ${exitCode}.`, cause });
      } finally {
        signal.removeEventListener('abort', end);
      }
    },
  };
}

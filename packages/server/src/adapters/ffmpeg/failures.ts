import { AppError } from '../../kernel/errors.ts';
import type { ProcessResult } from './process.ts';

/** The command line, the build or the file system was wrong, not the file. */
const ourFault =
  /Permission denied|Read-only file system|Unknown encoder|No such filter|Unrecognized option|Option \S+ not found|Operation not permitted/;

/** What ffmpeg's end means for the person who uploaded the file. `undefined`: it went well. */
export function failureOf(result: ProcessResult): AppError | undefined {
  const { end, exitCode, exitSignal, stderr } = result;
  const cause = new Error(
    `ffmpeg ended with ${exitSignal ?? exitCode ?? end}: ${stderr.trim().slice(-2000)}`,
  );
  if (/No space left on device|Disk quota exceeded/.test(stderr)) return new AppError('no-space', { cause });
  if (end === 'exit' && exitCode === 0) return undefined;
  if (end !== 'exit') return new AppError('media-too-complex', { cause });
  // CPU time or file size used up; or, through the shell, 128 + the signal's number.
  const isOverLimit =
    exitSignal === 'SIGXCPU' || exitSignal === 'SIGXFSZ' || exitCode === 152 || exitCode === 153;
  if (isOverLimit || /Cannot allocate memory|File too large/.test(stderr))
    return new AppError('media-too-complex', { cause });
  // Killed from outside, by the system when memory ran out for instance: not the file's fault, worth another try.
  if (exitSignal === 'SIGKILL' || exitSignal === 'SIGTERM') return new AppError('internal', { cause });
  const refused = /Codec \(([a-z0-9_]+)\) not on whitelist/.exec(stderr)?.[1];
  if (refused)
    return new AppError('media-codec-unsupported', { detail: `The file holds ${refused}.`, cause });
  if (ourFault.test(stderr)) return new AppError('internal', { cause });
  return new AppError('media-unreadable', { cause });
}

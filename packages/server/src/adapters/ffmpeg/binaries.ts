import { chmod, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runProcess } from './process.ts';

/** A pair of programs that can do the work, and what this build of them can do. */
export interface MediaBinaries {
  readonly ffmpeg: string;
  readonly ffprobe: string;
  readonly source: 'configured' | 'system' | 'npm';
  readonly ffmpegVersion: string;
  readonly ffprobeVersion: string;
  readonly decoders: ReadonlySet<string>;
  readonly filters: ReadonlySet<string>;
}

export interface BinaryChoice {
  /** Paths from the settings; they win, and are not second-guessed: if they cannot do the work, that is an error. */
  readonly ffmpeg?: string | undefined;
  readonly ffprobe?: string | undefined;
  /** Look on PATH before the npm packages. On by default. */
  readonly allowSystem?: boolean;
}

const neededEncoders = ['libx264', 'aac', 'mjpeg'];

/** Finds ffmpeg and ffprobe. Throws with the reason of each candidate when none will do. */
export async function findBinaries(choice: BinaryChoice = {}): Promise<MediaBinaries> {
  if (choice.ffmpeg || choice.ffprobe) {
    const ffmpeg = choice.ffmpeg ?? 'ffmpeg';
    return await examine(ffmpeg, choice.ffprobe ?? join(dirname(ffmpeg), 'ffprobe'), 'configured');
  }
  const reasons: string[] = [];
  const system = { ffmpeg: Bun.which('ffmpeg'), ffprobe: Bun.which('ffprobe') };
  if (choice.allowSystem !== false && system.ffmpeg && system.ffprobe) {
    try {
      return await examine(system.ffmpeg, system.ffprobe, 'system');
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  try {
    const [ffmpeg, ffprobe] = await Promise.all([npmBinary('ffmpeg'), npmBinary('ffprobe')]);
    return await examine(ffmpeg, ffprobe, 'npm');
  } catch (error) {
    reasons.push(error instanceof Error ? error.message : String(error));
    throw new Error(`No usable ffmpeg: ${reasons.join('; ')}`, { cause: error });
  }
}

/** The packages ship the program inside; their install script only sets the executable bit, and npm may not run it. */
async function npmBinary(name: 'ffmpeg' | 'ffprobe'): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const scope = `@${name}-installer`;
  // The platform package is a dependency of the scope's main package, which may be installed anywhere above us.
  const main = createRequire(createRequire(import.meta.url).resolve(`${scope}/${name}/package.json`));
  const folder = dirname(main.resolve(`${scope}/${platform}/package.json`));
  const path = join(folder, process.platform === 'win32' ? `${name}.exe` : name);
  const { mode } = await stat(path);
  // For everyone: the sandbox may run it as another user.
  if (process.platform !== 'win32' && (mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
  return path;
}

async function examine(
  ffmpeg: string,
  ffprobe: string,
  source: MediaBinaries['source'],
): Promise<MediaBinaries> {
  const [ffmpegVersion, ffprobeVersion, encoders, decoders, filters] = await Promise.all([
    ask(ffmpeg, '-version'),
    ask(ffprobe, '-version'),
    ask(ffmpeg, '-encoders'),
    ask(ffmpeg, '-decoders'),
    ask(ffmpeg, '-filters'),
  ]);
  const encoderNames = namesOf(encoders);
  const missing = neededEncoders.filter((name) => !encoderNames.has(name));
  if (missing.length > 0) throw new Error(`${ffmpeg} has no encoder ${missing.join(', ')}`);
  return {
    ffmpeg,
    ffprobe,
    source,
    ffmpegVersion: versionOf(ffmpegVersion),
    ffprobeVersion: versionOf(ffprobeVersion),
    decoders: namesOf(decoders),
    filters: namesOf(filters),
  };
}

async function ask(program: string, question: string): Promise<string> {
  const result = await runProcess([program, '-hide_banner', question], { timeoutMs: 20_000 });
  if (result.end !== 'exit' || result.exitCode !== 0) {
    throw new Error(`${program} ${question} failed: ${result.stderr.trim().slice(-300)}`);
  }
  return result.stdout.toString();
}

/** The second column of ffmpeg's tables: ` V....D libx264   H.264 ...`. */
function namesOf(table: string): Set<string> {
  return new Set([...table.matchAll(/^ [A-Z.|]+ +([a-zA-Z0-9_-]+) /gm)].map((match) => match[1] ?? ''));
}

function versionOf(text: string): string {
  return /version (\S+)/.exec(text)?.[1] ?? 'unknown';
}

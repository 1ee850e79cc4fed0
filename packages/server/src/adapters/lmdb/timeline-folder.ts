import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Random, randomToken } from '../../kernel/random.ts';

/**
 * Which files may be believed. Nothing is synced while the store is in use: the files are whole as long as the kernel that
 * wrote them runs, whatever becomes of the process, and after a clean end. After anything else they are removed.
 */
export interface TimelineFolder {
  readonly path: string;
  readonly generation: string;
  /** Says that the files are on the disk, after they were synced. */
  close(): Promise<void>;
}

interface Mark {
  /** Of the format of the files too. */
  readonly version: number;
  readonly generation: string;
  readonly origin: string;
  /** Of the kernel whose memory may hold what the disk does not; `''`: not known. */
  readonly bootId: string;
  readonly isClean: boolean;
}

export interface TimelineFolderOptions {
  readonly folder: string;
  /** Of the database that the entries come from: another one, or one that was restored, has other entries. */
  readonly origin: string;
  readonly random: Random;
  readonly readBootId?: () => Promise<string>;
}

const version = 1;

export async function openTimelineFolder(options: TimelineFolderOptions): Promise<TimelineFolder> {
  const { folder, origin, random, readBootId = bootIdOfLinux } = options;
  const [path, markPath] = [join(folder, 'shelves'), join(folder, 'mark.json')];
  await mkdir(folder, { recursive: true });
  const [bootId, found] = [await readBootId(), await readMark(markPath)];
  const isWhole = found !== undefined && (found.isClean || (bootId !== '' && found.bootId === bootId));
  const isKept = isWhole && found.version === version && found.origin === origin;
  if (!isKept) await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  const generation = isKept ? found.generation : randomToken(random, 12);
  const mark = { version, generation, origin, bootId };
  // On the disk before the first write: an older mark must not speak for files that it does not know.
  await writeMark(folder, markPath, { ...mark, isClean: false });
  return {
    path,
    generation,
    close: async () => {
      await sync(join(path, 'data.mdb'));
      await writeMark(folder, markPath, { ...mark, isClean: true });
    },
  };
}

/** Elsewhere it is not known, and what was not closed cleanly is given up. */
async function bootIdOfLinux(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

async function readMark(path: string): Promise<Mark | undefined> {
  try {
    const mark: Partial<Mark> | null = JSON.parse(await readFile(path, 'utf8'));
    const { generation, origin, bootId, isClean } = mark ?? {};
    if (typeof generation !== 'string' || typeof origin !== 'string' || typeof bootId !== 'string')
      return undefined;
    return { version: mark?.version ?? 0, generation, origin, bootId, isClean: isClean === true };
  } catch (error) {
    // A torn mark speaks for nothing.
    if (isMissing(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function writeMark(folder: string, path: string, mark: Mark): Promise<void> {
  const fresh = `${path}.new`;
  const file = await open(fresh, 'w');
  try {
    await file.writeFile(JSON.stringify(mark));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
  await sync(folder);
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT';

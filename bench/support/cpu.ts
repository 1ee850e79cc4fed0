import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const ticksPerSecond = 100;

/** Processor time that a process has used, in milliseconds; 0 where the system does not tell. */
export async function cpuMsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, , , , , , , , , , , user = '0', system = '0'] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ((Number(user) + Number(system)) * 1000) / ticksPerSecond;
}

/** The same of all backends of the embedded PostgreSQL in this data folder that live now. */
export async function cpuMsOfDatabase(dataDir: string): Promise<number> {
  const [postmaster = ''] = (
    await readFile(join(dataDir, 'postgres', 'cluster', 'postmaster.pid'), 'utf8')
  ).split('\n');
  const children = await readFile(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').catch(() => '');
  let sumMs = 0;
  for (const pid of children.split(' ').filter((each) => each !== '')) sumMs += await cpuMsOf(Number(pid));
  return sumMs;
}

import { readFile } from 'node:fs/promises';

const ticksPerSecond = 100;

/** Processor time that a process has used, in milliseconds; 0 where the system does not tell. */
export async function cpuMsOf(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [, , , , , , , , , , , user = '0', system = '0'] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return ((Number(user) + Number(system)) * 1000) / ticksPerSecond;
}

import { readFileSync } from 'node:fs';

/** Where each raw value came from, so that a fault can say what to mend. */
export interface RawSetting {
  readonly value: string;
  readonly source: string;
}

export interface SettingFault {
  readonly name: string;
  readonly problem: string;
}

/** Every fault by name: a start is refused once, not once for each mistake. */
export class InvalidSettings extends Error {
  override readonly name = 'InvalidSettings';
  readonly faults: readonly SettingFault[];
  constructor(faults: readonly SettingFault[]) {
    super(`settings are wrong:\n${faults.map(({ name, problem }) => `  ${name} ${problem}`).join('\n')}`);
    this.faults = faults;
  }
}

/** Set by the launcher for this process only; not a setting. */
const internalNames = new Set(['HVIDEO_LAUNCHER', 'HVIDEO_CONFIG']);

/**
 * Collects the raw settings: environment (or the file that `NAME_FILE` names) over the settings file over nothing.
 * An unknown `HVIDEO_*` name is a fault: a misspelt setting must not be ignored silently.
 */
export function readRawSettings(
  known: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  settingsFile: string | undefined,
): { values: Map<string, RawSetting>; faults: SettingFault[] } {
  const faults: SettingFault[] = [];
  const values = new Map<string, RawSetting>();
  if (settingsFile) readSettingsFile(settingsFile, known, values, faults);
  for (const name of known) {
    const direct = env[name];
    const path = env[`${name}_FILE`];
    if (direct !== undefined && path !== undefined) {
      faults.push({ name, problem: `is given twice: as ${name} and as ${name}_FILE` });
    } else if (direct !== undefined) {
      values.set(name, { value: direct, source: 'the environment' });
    } else if (path !== undefined) {
      try {
        values.set(name, { value: readFileSync(path, 'utf8').trim(), source: path });
      } catch (error) {
        faults.push({ name: `${name}_FILE`, problem: `cannot be read: ${(error as Error).message}` });
      }
    }
  }
  const accepted = new Set([...known, ...known.map((name) => `${name}_FILE`), ...internalNames]);
  for (const name of Object.keys(env)) {
    if (name.startsWith('HVIDEO_') && !accepted.has(name)) faults.push({ name, problem: 'is not a setting' });
  }
  return { values, faults };
}

/** The file is TOML with the settings' names as keys. */
function readSettingsFile(
  path: string,
  known: readonly string[],
  values: Map<string, RawSetting>,
  faults: SettingFault[],
): void {
  let table: Record<string, unknown>;
  try {
    table = Bun.TOML.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (error) {
    faults.push({ name: 'HVIDEO_CONFIG', problem: `${path} cannot be read: ${(error as Error).message}` });
    return;
  }
  for (const [name, value] of Object.entries(table)) {
    if (!known.includes(name)) faults.push({ name, problem: `in ${path} is not a setting` });
    else if (typeof value === 'object') faults.push({ name, problem: `in ${path} must be one value` });
    else values.set(name, { value: String(value), source: path });
  }
}

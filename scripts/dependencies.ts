import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { cruise, type ICruiseOptions, type ICruiseResult } from 'dependency-cruiser';
import extractTypeScriptConfig from 'dependency-cruiser/config-utl/extract-ts-config';

const { forbidden, options } = createRequire(import.meta.url)('../.dependency-cruiser.cjs');

export const ruleNames: readonly string[] = forbidden.map((rule: { name: string }) => rule.name);

export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
}

/** Every arrow between files of `folders` below `root` that breaks a rule of `.dependency-cruiser.cjs`. */
export async function findViolations(root: string, folders: readonly string[]): Promise<Violation[]> {
  const { tsConfig: _, ...rest } = options;
  const cruiseOptions: ICruiseOptions = {
    ...rest,
    baseDir: root,
    validate: true,
    ruleSet: { forbidden },
  };
  const typeScript = extractTypeScriptConfig(resolve(import.meta.dir, '..', 'tsconfig.json'));
  const { output } = await cruise([...folders], cruiseOptions, undefined, { tsConfig: typeScript });
  return (output as ICruiseResult).summary.violations.map(({ rule, from, to }) => ({
    rule: rule.name,
    from,
    to,
  }));
}

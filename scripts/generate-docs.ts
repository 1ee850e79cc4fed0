import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingSpecs } from '../packages/server/src/config/config.ts';
import { errorRegistry } from '../packages/server/src/kernel/errors.ts';

/** Pages that are made from the code, so that they cannot fall behind it. `--check` only compares. */
const pages: Record<string, string> = {
  'docs/errors.md': errorsPage(),
  'docs/operating/settings.md': settingsPage(),
};

function errorsPage(): string {
  const rows = Object.entries(errorRegistry).map(
    ([code, { status, title, retry, outcome }]) =>
      `| \`${code}\` | ${status} | ${title} | ${retry} | ${outcome} |`,
  );
  return `# Errors

Every refusal is an RFC 9457 problem document with one of these codes. A code never changes its meaning.
*Retry* says whether the same request may succeed: \`never\`, \`later\` (after \`Retry-After\`), \`now\` (look again and go on).
*Outcome* \`unknown\` means that a write may have happened: repeat it with the same \`Idempotency-Key\`.

Made from \`packages/server/src/kernel/errors.ts\` by \`node scripts/bun.mjs scripts/generate-docs.ts\`.

| Code | Status | Meaning | Retry | Outcome |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

function settingsPage(): string {
  const rows = Object.entries(settingSpecs).map(
    ([name, { default: value, about }]) =>
      `| \`${name}\` | ${value === undefined ? '' : `\`${value}\``} | ${about} |`,
  );
  return `# Settings

Each can be given in the environment, in a file that \`NAME_FILE\` names, or in the TOML file that \`HVIDEO_CONFIG\` names,
in this order. Options of the command line win over all of them. A wrong or unknown setting stops the start, and every
fault is listed by name.

Made from \`packages/server/src/config/config.ts\` by \`node scripts/bun.mjs scripts/generate-docs.ts\`.

| Name | Default | Meaning |
|---|---|---|
${rows.join('\n')}
`;
}

const root = join(import.meta.dir, '..');
const isCheck = process.argv.includes('--check');
let stale = 0;
for (const [path, text] of Object.entries(pages)) {
  const file = join(root, path);
  const present = await Bun.file(file).exists();
  if (present && readFileSync(file, 'utf8') === text) continue;
  stale += 1;
  if (isCheck)
    process.stderr.write(
      `${path} does not fit the code: run node scripts/bun.mjs scripts/generate-docs.ts\n`,
    );
  else writeFileSync(file, text);
}
process.exit(isCheck && stale > 0 ? 1 : 0);

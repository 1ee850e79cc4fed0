/** PostgreSQL’s text form of an array: `{1,NULL,"a \"b\""}`. */
export function arrayLiteral(values: readonly unknown[], elementOf: (value: unknown) => string): string {
  let text = '{';
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (i > 0) text += ',';
    text += value === null || value === undefined ? 'NULL' : elementOf(value);
  }
  return `${text}}`;
}

const WHOLE_NUMBER = /^-?\d+$/;

/** Nothing that could be taken for two elements passes. */
export function wholeNumber(value: unknown): string {
  if (typeof value === 'string' && WHOLE_NUMBER.test(value)) return value;
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return String(value);
  throw new TypeError('an array of whole numbers holds something else');
}

export function quoted(value: unknown): string {
  const text = String(value);
  if (!text.includes('"') && !text.includes('\\')) return `"${text}"`;
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

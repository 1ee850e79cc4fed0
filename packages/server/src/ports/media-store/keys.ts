/** A key that breaks the rule is a bug of the caller, not of a user: keys are made by the program. */
const keyPattern = /^[a-z0-9][a-z0-9._/-]{0,199}$/;

export function isKey(text: string): boolean {
  return (
    keyPattern.test(text) &&
    text.split('/').every((part) => part !== '' && part !== '.' && !part.includes('..'))
  );
}

export function checkKey(key: string): void {
  if (!isKey(key)) throw new TypeError(`Not a media key: ${JSON.stringify(key)}`);
}

/** Answers the folder without its closing slash. */
export function checkPrefix(prefix: string): string {
  const folder = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  checkKey(folder);
  return folder;
}

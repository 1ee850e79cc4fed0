import type { User } from '@hvideo/protocol';

const plain = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLocaleLowerCase();

/** Whether somebody is meant: part of the name, however it is written, or of the account's. */
export function matchesName(
  { displayName, username }: Pick<User, 'displayName' | 'username'>,
  wanted: string,
) {
  const text = plain(wanted.trim().replace(/^@/, ''));
  return text === '' || plain(displayName).includes(text) || plain(username).includes(text);
}

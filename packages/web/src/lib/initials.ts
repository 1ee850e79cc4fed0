const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const isHan = /^\p{Script=Han}/u;

/** What stands in for a missing picture: the last character of a short Chinese name, else up to two initials. */
export function initials(name: string): string {
  const words = name
    .trim()
    .split(/[\s._-]+/u)
    .filter(Boolean);
  const first = words[0];
  if (first === undefined) return '?';
  const letters = [...segmenter.segment(first)].map(({ segment }) => segment);
  const firstLetter = letters[0] ?? '?';
  if (isHan.test(firstLetter)) {
    // A given name is what people are called by; it comes last, and the family name before it is shared by millions.
    const isPersonalName = words.length === 1 && letters.length <= 3 && letters.every((it) => isHan.test(it));
    return isPersonalName ? (letters.at(-1) ?? firstLetter) : firstLetter;
  }
  const last = words.length > 1 ? words.at(-1) : undefined;
  const lastLetter = last === undefined ? '' : ([...segmenter.segment(last)][0]?.segment ?? '');
  return `${firstLetter}${lastLetter}`.toLocaleUpperCase();
}

/** A hue that belongs to the account, well spread over the wheel. */
export function avatarHue(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at += 1) {
    hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0;
  }
  return hash % 360;
}

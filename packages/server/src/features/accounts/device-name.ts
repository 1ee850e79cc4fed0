import Bowser from 'bowser';

const MAX_LENGTH = 60;

/** "Chrome on Android" for a browser; the first product of the user agent, such as "curl", for a program. */
export function deviceName(userAgent: string): string {
  if (userAgent.trim() === '') return 'Unknown device';
  const { browser, os } = Bowser.parse(userAgent);
  const known = [browser.name, os.name].filter((name) => name !== undefined && name !== '');
  if (known.length === 2) return known.join(' on ').slice(0, MAX_LENGTH);
  const product = userAgent.trim().split(/[/\s(]/, 1)[0] ?? '';
  // It is shown to people: nothing that could pass for markup or another alphabet's look-alike.
  const printable = (known[0] ?? product).replace(/[^\w .+-]/g, '').slice(0, MAX_LENGTH);
  return printable || 'Unknown device';
}

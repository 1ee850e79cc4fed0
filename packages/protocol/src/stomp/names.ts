/** Names of headers that are expected, so that nothing must be done to know that they are sound. */
const known = [
  'id',
  'ack',
  'seq',
  'destination',
  'content-type',
  'receipt',
  'receipt-id',
  'client-seq',
  'chain',
  'pre-id',
  'quote',
  'subscription',
  'message-id',
  'conversation',
  'sender',
  'sender-device',
  'timestamp',
  'correlation-id',
  'status',
  'duplicate',
  'transaction',
  'accept-version',
  'heart-beat',
  'host',
  'login',
  'passcode',
  'device-id',
  'version',
  'session',
  'server',
  'message',
] as const;

const plain: ReadonlySet<string> = new Set(known);

/** A name that has nothing to escape. */
export function isKnownName(name: string): boolean {
  return plain.has(name);
}

/** `content-length` is not among them: encoding adds it, and refuses it from elsewhere. */
const byLength = tableOf(['content-length', ...known]);

function tableOf(names: readonly string[]): string[][] {
  const table: string[][] = [];
  for (const name of names) {
    while (table.length <= name.length) table.push([]);
    table[name.length]?.push(name);
  }
  return table;
}

/** The name in `text` from `start` to `end`: a known one is found in place, not cut out, and compared by reference. */
export function nameAt(text: string, start: number, end: number): string {
  const first = text.charCodeAt(start);
  for (const name of byLength[end - start] ?? []) {
    if (name.charCodeAt(0) === first && text.startsWith(name, start)) return name;
  }
  return text.slice(start, end);
}

/** Values as `Database` gives them, from the text forms in which PostgreSQL tells of changes. */

/** Reads PostgreSQL's own text form of a value. */
export type ReadText = (text: string) => unknown;

const DAY_LENGTH = 10;

/** Element types of the array types that are read as arrays. */
const ELEMENTS: Readonly<Record<number, number>> = {
  1000: 16,
  1001: 17,
  1005: 21,
  1007: 23,
  1009: 25,
  1015: 1043,
  1016: 20,
  1021: 700,
  1022: 701,
  1115: 1114,
  1182: 1082,
  1185: 1184,
  1231: 1700,
  199: 114,
  2951: 2950,
  3807: 3802,
};

const SCALARS: Readonly<Record<number, ReadText>> = {
  16: (text) => text === 't' || text === 'true',
  17: (text) => Buffer.from(text.slice(2), 'hex'),
  21: Number,
  23: Number,
  26: Number,
  114: (text) => JSON.parse(text),
  700: Number,
  701: Number,
  1082: readTime,
  1114: readTime,
  1184: readTime,
  3802: (text) => JSON.parse(text),
};

const JSON_TYPES = new Set([114, 3802]);
const sameText: ReadText = (text) => text;

/** The reader of a type; undefined where the value is its text, which is the case for most. */
export function readerOf(type: number): ReadText | undefined {
  const element = ELEMENTS[type];
  if (element === undefined) return SCALARS[type];
  const read = SCALARS[element] ?? sameText;
  return (text) => readArray(text, read);
}

/** The reader of a type's form within `to_jsonb(row)`: its JSON text. */
export function jsonReaderOf(type: number): ReadText {
  const element = ELEMENTS[type];
  if (element !== undefined) {
    const read = jsonReaderOf(element);
    return (json) => (json === 'null' ? null : splitJson(json).map((part) => readNested(part, read)));
  }
  if (JSON_TYPES.has(type)) return (json) => JSON.parse(json);
  const read = SCALARS[type] ?? sameText;
  return (json) => {
    if (json === 'null') return null;
    return read(json.startsWith('"') ? String(JSON.parse(json)) : json);
  };
}

function readNested(json: string, read: ReadText): unknown {
  return json.startsWith('[') ? splitJson(json).map((part) => readNested(part, read)) : read(json);
}

/** `2026-01-02 03:04:05.678901+00`, with or without its parts: dates and times without a zone count as UTC. */
function readTime(text: string): Date | number {
  if (text === 'infinity') return Number.POSITIVE_INFINITY;
  if (text === '-infinity') return Number.NEGATIVE_INFINITY;
  if (text.length === DAY_LENGTH) return new Date(text);
  const end = text.lastIndexOf('+');
  const time = text.slice(DAY_LENGTH + 1, end < 0 ? text.length : end);
  return new Date(`${text.slice(0, DAY_LENGTH)}T${time}Z`);
}

/** An array literal: `{1,NULL,"a \"b\"",{2}}`. Bounds, as in `[0:1]={1,2}`, are dropped. */
function readArray(text: string, read: ReadText): unknown[] {
  let at = text.indexOf('{');
  const list = (): unknown[] => {
    const items: unknown[] = [];
    at += 1;
    while (text[at] !== '}') {
      if (text[at] === ',') at += 1;
      if (text[at] === '{') items.push(list());
      else if (text[at] === '"') items.push(read(quoted()));
      else items.push(bare());
    }
    at += 1;
    return items;
  };
  const quoted = () => {
    let value = '';
    for (at += 1; text[at] !== '"'; at += 1) {
      if (text[at] === '\\') at += 1;
      value += text[at];
    }
    at += 1;
    return value;
  };
  const bare = () => {
    const start = at;
    while (text[at] !== ',' && text[at] !== '}') at += 1;
    const value = text.slice(start, at);
    return value === 'NULL' ? null : read(value);
  };
  return list();
}

const [QUOTE, BACKSLASH, COMMA] = [34, 92, 44];

/** The JSON texts of an array's items; of an object, `key: value` with the key's quotes. Numbers keep every digit. */
export function splitJson(json: string): string[] {
  const parts: string[] = [];
  const end = json.length - 1;
  let [depth, start] = [0, 1];
  for (let at = 1; at < end; at++) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      for (at += 1; json.charCodeAt(at) !== QUOTE; at += 1) if (json.charCodeAt(at) === BACKSLASH) at += 1;
    } else if (code === 123 || code === 91) depth += 1;
    else if (code === 125 || code === 93) depth -= 1;
    else if (code === COMMA && depth === 0) {
      parts.push(json.slice(start, at).trim());
      start = at + 1;
    }
  }
  if (start < end) parts.push(json.slice(start, end).trim());
  return parts;
}

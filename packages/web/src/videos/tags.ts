/** Tags as people write them: between spaces or commas, with or without the sign. */
export function parseTags(text: string): string[] {
  return text.split(/[\s,，、#＃]+/).filter(Boolean);
}

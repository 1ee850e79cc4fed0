const e164 = /^\+[1-9]\d{6,14}$/;
const chineseMobile = /^1[3-9]\d{9}$/;

/**
 * A number as people write it, in the form the server takes; undefined when it cannot be one. Without a country code a
 * number is taken for a Chinese mobile where the app is read in Chinese, since nobody there writes +86.
 */
export function toE164(text: string, language: 'en' | 'zh'): string | undefined {
  const digits = text.replace(/[\s().-]/g, '').replace(/^00/, '+');
  const full = language === 'zh' && chineseMobile.test(digits) ? `+86${digits}` : digits;
  return e164.test(full) ? full : undefined;
}

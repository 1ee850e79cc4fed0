import { ApiError, NetworkError } from '@hvideo/client';
import { type ErrorKey, i18n } from '../i18n/index.ts';

const isErrorKey = (code: string): code is ErrorKey => i18n.exists(code, { ns: 'errors' });

/** The text of a problem's code; without a code no answer came. */
export function codeText(code: string | undefined): string {
  if (code === undefined) return i18n.t('errors:offline');
  return isErrorKey(code) ? i18n.t(`errors:${code}`) : i18n.t('errors:internal');
}

/** One sentence for a person, in their language. */
export function errorText(error: unknown): string {
  if (error instanceof NetworkError) return i18n.t(error.timedOut ? 'errors:timeout' : 'errors:offline');
  return codeText(error instanceof ApiError ? error.code : 'internal');
}

/** What is wrong with which field of a form, as the server says it. */
export function errorFields(error: unknown): Readonly<Record<string, string>> {
  return error instanceof ApiError ? (error.problem.fields ?? {}) : {};
}

import { ApiError, NetworkError } from '@hvideo/client';
import { type ErrorKey, i18n } from '../i18n/index.ts';

const isErrorKey = (code: string): code is ErrorKey => i18n.exists(code, { ns: 'errors' });

/** One sentence for a person, in their language. */
export function errorText(error: unknown): string {
  if (error instanceof NetworkError) return i18n.t(error.timedOut ? 'errors:timeout' : 'errors:offline');
  if (error instanceof ApiError && isErrorKey(error.code)) return i18n.t(`errors:${error.code}`);
  return i18n.t('errors:internal');
}

/** What is wrong with which field of a form, as the server says it. */
export function errorFields(error: unknown): Readonly<Record<string, string>> {
  return error instanceof ApiError ? (error.problem.fields ?? {}) : {};
}

import type { ChatFailure } from '@hvideo/client';
import { codeText } from '../app/errors.ts';
import { i18n } from '../i18n/index.ts';

/** One sentence about what the chat could not do. */
export function failureText({ code }: ChatFailure): string {
  switch (code) {
    case 'network':
      return codeText(undefined);
    case 'queue-full':
      return i18n.t('chat:failures.queue-full');
    case 'closed':
      return i18n.t('chat:failures.stopped');
    default:
      return codeText(code);
  }
}

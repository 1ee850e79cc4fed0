import { api } from '@hvideo/protocol';
import { type Language, setLanguage } from '../i18n/index.ts';
import { client } from './client.ts';
import { queryClient } from './query.ts';
import { viewerQuery } from './session.ts';

/** Shows the app in the language, and keeps the choice with the account: otherwise its old one comes back. */
export async function chooseLanguage(language: Language): Promise<void> {
  await setLanguage(language);
  if (queryClient.getQueryData(viewerQuery.queryKey)) {
    const account = await client.call(api.me.update, { body: { locale: language } });
    queryClient.setQueryData(viewerQuery.queryKey, account);
  }
}

import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { storage } from '../app/storage.ts';
import type { chat } from './en/chat.ts';
import type { en } from './en/index.ts';

export type Language = 'en' | 'zh';
type Texts = typeof en & { readonly chat: typeof chat };
export type ErrorKey = keyof Texts['errors'];

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common';
    resources: Texts;
    returnNull: false;
    enableSelector: false;
  }
}

const key = 'hvideo.locale';
const loaders: Record<Language, () => Promise<object>> = {
  en: async () => (await import('./en/index.ts')).en,
  zh: async () => (await import('./zh/index.ts')).zh,
};
/** The chat's own texts come with its code. */
const chatLoaders: Record<Language, () => Promise<object>> = {
  en: async () => (await import('./en/chat.ts')).chat,
  zh: async () => (await import('./zh/chat.ts')).chat,
};
let isChatWanted = false;

const isLanguage = (text: string | null): text is Language => text === 'en' || text === 'zh';

function initialLanguage(): Language {
  const stored = storage.getItem(key);
  if (isLanguage(stored)) return stored;
  return navigator.languages.find((tag) => /^(zh|en)\b/i.test(tag))?.startsWith('zh') ? 'zh' : 'en';
}

async function load(language: Language): Promise<void> {
  if (isChatWanted && !i18next.hasResourceBundle(language, 'chat')) {
    i18next.addResourceBundle(language, 'chat', await chatLoaders[language]());
  }
  if (i18next.hasResourceBundle(language, 'common')) return;
  for (const [namespace, texts] of Object.entries(await loaders[language]())) {
    i18next.addResourceBundle(language, namespace, texts);
  }
}

const htmlLang: Record<Language, string> = { en: 'en', zh: 'zh-CN' };

/** Loads the first language; the app renders after it. */
export async function startI18n(): Promise<void> {
  const language = initialLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    defaultNS: 'common',
    resources: {},
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  await load(language);
  // Components are told by this event; texts added after the start are not announced otherwise.
  await i18next.changeLanguage(language);
  document.documentElement.lang = htmlLang[language];
}

/** Call before anything of the chat is shown. */
export async function loadChatTexts(): Promise<void> {
  isChatWanted = true;
  await load(currentLanguage());
}

/** Shows the app in the language and remembers it on this device. */
export async function setLanguage(language: Language): Promise<void> {
  await load(language);
  await i18next.changeLanguage(language);
  storage.setItem(key, language);
  document.documentElement.lang = htmlLang[language];
}

/** The language in use. */
export const currentLanguage = (): Language => (i18next.language === 'zh' ? 'zh' : 'en');

export const i18n = i18next;

import type { ConversationSummary } from '@hvideo/client';
import type { Conversation, DeletedContent, MessageContent, SystemContent, User } from '@hvideo/protocol';
import { i18n, type Language } from '../i18n/index.ts';

type Named = Pick<Conversation | ConversationSummary, 'type' | 'title' | 'others' | 'memberCount'>;

const lists = new Map<Language, Intl.ListFormat>();

/** "Lin, Wei and Noa" */
export function joinNames(names: readonly string[], language: Language): string {
  let list = lists.get(language);
  if (list === undefined) {
    list = new Intl.ListFormat(language === 'zh' ? 'zh-CN' : 'en', { type: 'conjunction' });
    lists.set(language, list);
  }
  return list.format(names);
}

/** What a conversation is called: by its title, or by those who are in it. */
export function nameOf({ type, title, others, memberCount }: Named, language: Language): string {
  if (title) return title;
  const names = others.map(({ displayName }) => displayName);
  if (names.length === 0) return i18n.t('chat:unnamed');
  if (type === 'direct') return names[0] ?? '';
  const count = memberCount - 1 - names.length;
  return count > 0
    ? i18n.t('chat:system.others', { names: names.join(language === 'zh' ? '、' : ', '), count })
    : joinNames(names, language);
}

export type KnownPeople = ReadonlyMap<string, User>;

/** One sentence about who came, who went, and what the group is called. */
export function systemText(
  content: SystemContent,
  people: KnownPeople,
  viewerId: string,
  language: Language,
): string {
  const name = (id: string, asObject = false) => {
    if (id === viewerId) return i18n.t(asObject ? 'chat:system.youToo' : 'chat:you');
    return people.get(id)?.displayName ?? i18n.t('chat:system.someone');
  };
  const actor = name(content.actorId);
  const all = (content.accountIds ?? []).filter((id) => id !== content.actorId);
  const told = all.slice(0, 5).map((id) => name(id, true));
  const names =
    all.length > told.length
      ? i18n.t('chat:system.others', { names: told.join(', '), count: all.length - told.length })
      : joinNames(told, language);
  const title = content.title ?? '';
  switch (content.event) {
    case 'created':
      return title === ''
        ? i18n.t('chat:system.created', { actor })
        : i18n.t('chat:system.createdNamed', { actor, title });
    case 'joined':
      return i18n.t('chat:system.joined', { actor, names });
    case 'left':
      return i18n.t('chat:system.left', { actor });
    case 'removed':
      return i18n.t('chat:system.removed', { actor, names });
    case 'renamed':
      return i18n.t('chat:system.renamed', { actor, title });
  }
}

/** What people say, and what is left of it when they have left the community. */
export type SaidContent = MessageContent | DeletedContent;

/** A message in one line, for lists and quotes. */
export function previewOf(content: SaidContent): string {
  switch (content.type) {
    case 'text':
      return content.text.replace(/\s+/g, ' ');
    case 'image':
      return i18n.t('chat:photo');
    case 'video':
      return i18n.t('chat:video');
    case 'custom':
      return i18n.t('chat:something');
    case 'deleted':
      return i18n.t('chat:deleted');
  }
}

import type { ChatConversation, ViewMessage, ViewQuote } from '@hvideo/client';
import { createContext, useContext } from 'react';

export interface MenuPlace {
  readonly x: number;
  readonly y: number;
  /** Gets the focus when the menu closes. */
  readonly opener: HTMLElement | null;
}

/** What can be done with the messages of the conversation that is shown. */
export interface TimelineActions {
  readonly conversation: ChatConversation;
  openMenu(message: ViewMessage, place: MenuPlace): void;
  reply(message: ViewMessage): void;
  jump(seq: number): void;
  /** A quoted message, if it is among those that are shown. */
  here(quote: ViewQuote): ViewMessage | undefined;
}

export const TimelineContext = createContext<TimelineActions | null>(null);

export function useTimeline(): TimelineActions {
  const actions = useContext(TimelineContext);
  if (actions === null) throw new TypeError('There is no timeline around this component');
  return actions;
}

import { createStore } from '../lib/signal.ts';
import { storage } from './storage.ts';

const key = 'hvideo.sound';

/** Whether the viewer wants sound. Off until asked for: browsers refuse to start with it. */
export const soundOn = createStore(storage.getItem(key) === 'on');

export function setSound(on: boolean): void {
  soundOn.set(on);
  storage.setItem(key, on ? 'on' : 'off');
}

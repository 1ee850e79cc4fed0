import { createClient, storageStore } from '@hvideo/client';
import { sessionEnded } from './session-events.ts';
import { storage } from './storage.ts';

/** The one client of the app: HttpOnly cookies carry the tokens, storage only remembers that there is a login. */
export const client = createClient({
  baseUrl: '',
  session: { kind: 'cookie', store: storageStore(storage) },
  onSessionEnd: (reason) => sessionEnded.emit(reason),
});

import { auth, instance, me } from './accounts.ts';
import { chat, conversations } from './chat.ts';
import { comments } from './comments.ts';
import { engagement } from './engagement.ts';
import { history } from './history.ts';
import { notifications } from './notifications.ts';
import { operations } from './operations.ts';
import { uploads } from './uploads.ts';
import { users } from './users.ts';
import { feed, videos } from './videos.ts';

export const API_PREFIX = '/api/v1';

/** Every request of the interface, by resource. */
export const api = {
  instance,
  auth,
  me,
  users,
  uploads,
  videos,
  feed,
  history,
  engagement,
  comments,
  notifications,
  conversations,
  chat,
  operations,
};

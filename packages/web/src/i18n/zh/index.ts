import { account } from './account.ts';
import { common } from './common.ts';
import { engagement } from './engagement.ts';
import { errors } from './errors.ts';
import { feed } from './feed.ts';
import { lists } from './lists.ts';
import { notifications } from './notifications.ts';
import { operations } from './operations.ts';
import { share } from './share.ts';
import { upload } from './upload.ts';
import { watch } from './watch.ts';

export const zh = {
  common,
  errors,
  watch,
  feed,
  account,
  upload,
  engagement,
  lists,
  notifications,
  operations,
  share,
};

import { account } from './account.ts';
import { common } from './common.ts';
import { errors } from './errors.ts';
import { upload } from './upload.ts';
import { watch } from './watch.ts';

export const en = { common, errors, watch, account, upload };

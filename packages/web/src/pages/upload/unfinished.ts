import { defaultOptions, type PreviousUpload } from 'tus-js-client';

/** An upload that was begun in this browser and belongs to no video yet. */
export interface Unfinished {
  readonly url: string;
  readonly name: string;
  readonly size: number | null;
}

const prefixOf = (accountId: string) => `hvideo-${accountId}-`;

/** Finds an upload again when the same file is chosen; of one account, so that nobody sees another's files. */
export function uploadFingerprint(
  file: Pick<File, 'name' | 'size' | 'lastModified'>,
  accountId: string,
): string {
  return `${prefixOf(accountId)}${file.name}-${file.size}-${file.lastModified}`;
}

/** From what the uploader keeps in the browser's storage. */
export function unfinishedOf(stored: readonly PreviousUpload[], accountId: string): Unfinished[] {
  return stored.flatMap(({ urlStorageKey, uploadUrl, metadata, size }) => {
    if (!uploadUrl || !urlStorageKey.startsWith(`tus::${prefixOf(accountId)}`)) return [];
    return [{ url: uploadUrl, name: metadata['filename'] ?? '', size }];
  });
}

const storage = () => defaultOptions.urlStorage;

export async function findUnfinished(accountId: string): Promise<Unfinished[]> {
  return unfinishedOf(await storage().findAllUploads(), accountId);
}

export async function forgetUpload(url: string): Promise<void> {
  for (const stored of await storage().findAllUploads()) {
    if (stored.uploadUrl === url) await storage().removeUpload(stored.urlStorageKey);
  }
}

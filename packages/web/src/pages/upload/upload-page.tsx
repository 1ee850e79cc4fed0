import type { Account } from '@hvideo/protocol';
import { useBlocker } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { useInstance } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { formatBytes } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { ConfirmDialog } from '../../ui/dialog.tsx';
import { Page } from '../../ui/page.tsx';
import { toast } from '../../ui/toast.tsx';
import { DropZone } from './drop-zone.tsx';
import { UnfinishedList } from './unfinished-list.tsx';
import styles from './upload-page.module.css';
import { UploadTask } from './upload-task.ts';
import { Uploader } from './uploader.tsx';

export function UploadPage() {
  const { t } = useTexts();
  const language = useLanguage();
  const instance = useInstance();
  useTitle(t('upload:title'));
  const text =
    instance &&
    t('upload:text', {
      size: formatBytes(instance.limits.uploadMaxBytes, language),
      minutes: Math.floor(instance.limits.videoMaxMs / 60_000),
    });
  return (
    <RequireViewer>
      {(viewer) => (
        <Page width="wide" title={t('upload:title')} text={text}>
          <Uploads key={viewer.id} viewer={viewer} />
        </Page>
      )}
    </RequireViewer>
  );
}

interface Entry {
  readonly key: string;
  readonly task: UploadTask;
}

const keyOf = (file: File) => `${file.name}:${file.size}:${file.lastModified}`;

function Uploads({ viewer }: { viewer: Account }) {
  const { t } = useTexts();
  const instance = useInstance();
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [published, setPublished] = useState<ReadonlySet<string>>(new Set());
  const latest = useRef(entries);
  useEffect(() => {
    latest.current = entries;
  });
  useEffect(
    () => () => {
      for (const { task } of latest.current) task.stop();
    },
    [],
  );
  const add = (files: readonly File[]) => {
    const maxBytes = instance?.limits.uploadMaxBytes ?? Number.POSITIVE_INFINITY;
    const fitting = files.filter((file) => file.size <= maxBytes);
    if (fitting.length < files.length) toast(t('errors:upload-too-large'), 'error');
    // The same file twice would be one upload from two places, and each would lock the other out.
    const known = new Set(entries.map(({ key }) => key));
    const fresh = fitting
      .filter((file) => !known.has(keyOf(file)))
      .map((file) => ({ key: keyOf(file), task: new UploadTask(file, viewer.id) }));
    for (const { task } of fresh) task.start();
    setEntries([...entries, ...fresh]);
  };
  return (
    <div className={styles['list']}>
      {entries.map(({ key, task }) => (
        <Uploader
          key={key}
          task={task}
          onPublished={() => setPublished((last) => new Set(last).add(key))}
          onGone={() => setEntries((last) => last.filter((entry) => entry.key !== key))}
        />
      ))}
      <DropZone onFiles={add} isSmall={entries.length > 0} />
      <UnfinishedList accountId={viewer.id} chosen={entries.map(({ task }) => task.file)} />
      <LeaveGuard isActive={entries.some(({ key }) => !published.has(key))} />
    </div>
  );
}

/** Leaving ends what is being sent and forgets what was written: never by accident. */
function LeaveGuard({ isActive }: { isActive: boolean }) {
  const { t } = useTexts();
  const blocker = useBlocker({
    shouldBlockFn: () => isActive,
    enableBeforeUnload: () => isActive,
    withResolver: true,
  });
  return (
    <ConfirmDialog
      open={blocker.status === 'blocked'}
      onOpenChange={(open) => !open && blocker.reset?.()}
      title={t('upload:leaveTitle')}
      description={t('upload:leaveText')}
      confirmLabel={t('upload:leave')}
      danger
      onConfirm={() => blocker.proceed?.()}
    />
  );
}

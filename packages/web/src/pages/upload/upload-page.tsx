import { api, TAGS_MAX, TITLE_MAX, type TranscodeProgress, type VideoVisibility } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CloudUpload, Pause, Play, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { client } from '../../app/client.ts';
import { codeText, errorFields, errorText } from '../../app/errors.ts';
import { queryClient } from '../../app/query.ts';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { useInstance } from '../../app/session.ts';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { formatBytes, formatDuration, formatPercent } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { SelectField, TextArea, TextField } from '../../ui/field.tsx';
import { Card, Form, formStyles, textOf } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';
import { toast } from '../../ui/toast.tsx';
import { CoverPicker } from './cover-picker.tsx';
import { PublishTime, publishAtOf } from './publish-time.tsx';
import styles from './upload-page.module.css';
import { type UploadState, useUpload } from './use-upload.ts';

const visibilities: readonly VideoVisibility[] = ['public', 'followers', 'unlisted', 'private'];

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
      {() => (
        <Page title={t('upload:title')} text={text}>
          <Uploads />
        </Page>
      )}
    </RequireViewer>
  );
}

const keyOf = (file: File) => `${file.name}:${file.size}:${file.lastModified}`;

function Uploads() {
  const [files, setFiles] = useState<readonly File[]>([]);
  // The same file twice would be one upload from two places, and each would lock the other out.
  const add = (more: readonly File[]) =>
    setFiles((last) => [...new Map([...last, ...more].map((file) => [keyOf(file), file])).values()]);
  return (
    <div className={styles['list']}>
      {files.map((file) => (
        <Uploader
          key={keyOf(file)}
          file={file}
          onGone={() => setFiles((last) => last.filter((it) => keyOf(it) !== keyOf(file)))}
        />
      ))}
      <DropZone onFiles={add} />
    </div>
  );
}

function Uploader({ file, onGone }: { file: File; onGone(): void }) {
  const { t } = useTexts();
  const { state, pause, resume, cancel } = useUpload(file);
  const [coverTimeMs, setCoverTimeMs] = useState<number | undefined>(undefined);
  const publish = useMutation({
    mutationFn: ({ values, uploadId }: { values: FormData; uploadId: string }) => {
      const publishAt = publishAtOf(values);
      return client.call(api.videos.create, {
        body: {
          uploadId,
          title: textOf(values, 'title'),
          description: textOf(values, 'description'),
          tags: textOf(values, 'tags')
            .split(/[\s,，、]+/)
            .filter(Boolean),
          visibility: visibilities.find((it) => it === values.get('visibility')) ?? 'public',
          ...(coverTimeMs !== undefined && { coverTimeMs }),
          ...(publishAt !== undefined && { publishAt }),
        },
      });
    },
    onSuccess: () => {
      toast(t('upload:published'));
      void queryClient.invalidateQueries({ queryKey: ['studio'] });
      void queryClient.invalidateQueries({ queryKey: ['videos'] });
    },
  });
  if (publish.data) {
    return <Published id={publish.data.id} title={publish.data.title} onAnother={onGone} />;
  }
  const fields = errorFields(publish.error);
  const uploadId = state.phase === 'done' ? state.uploadId : undefined;
  return (
    <Card>
      <Transfer
        state={state}
        onPause={pause}
        onResume={resume}
        onRemove={() => {
          cancel();
          onGone();
        }}
      />
      <CoverPicker file={file} timeMs={coverTimeMs} onPick={setCoverTimeMs} />
      <Form
        error={publish.error}
        onSubmit={(values) => {
          if (uploadId !== undefined) publish.mutate({ values, uploadId });
        }}
      >
        <TextField
          label={t('upload:name')}
          error={fields['title']}
          name="title"
          defaultValue={file.name.replace(/\.[^.]+$/, '').slice(0, TITLE_MAX)}
          maxLength={TITLE_MAX}
          required
        />
        <TextArea
          label={t('upload:description')}
          error={fields['description']}
          name="description"
          maxLength={2000}
        />
        <TextField
          label={t('upload:tags')}
          hint={t('upload:tagsHint', { max: TAGS_MAX })}
          error={fields['tags']}
          name="tags"
        />
        <SelectField label={t('upload:visibility')} name="visibility" defaultValue="public">
          {visibilities.map((visibility) => (
            <option key={visibility} value={visibility}>
              {t(`watch:details.visibility.${visibility}`)}
            </option>
          ))}
        </SelectField>
        <PublishTime error={fields['publishAt']} />
        <Button type="submit" tone="accent" size="lg" block disabled={!uploadId} busy={publish.isPending}>
          {t('upload:publish')}
        </Button>
      </Form>
    </Card>
  );
}

function DropZone({ onFiles }: { onFiles(files: readonly File[]): void }) {
  const { t } = useTexts();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const take = (list: FileList | null) => {
    const files = [...(list ?? [])];
    // Browsers do not know every container: a file without a type is left to the server.
    const videos = files.filter((file) => file.type === '' || file.type.startsWith('video/'));
    if (videos.length < files.length) toast(t('upload:notVideo'), 'error');
    onFiles(videos);
  };
  return (
    <section
      className={classes(styles['zone'], isOver && styles['over'])}
      aria-label={t('upload:title')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files);
      }}
    >
      <CloudUpload size={44} strokeWidth={1.6} aria-hidden />
      <p className={styles['drop']}>{t('upload:drop')}</p>
      <input
        ref={input}
        type="file"
        accept="video/*"
        multiple
        hidden
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = ''; // So that the same file can be chosen again.
        }}
      />
      <Button tone="accent" size="lg" onClick={() => input.current?.click()}>
        {t('upload:choose')}
      </Button>
    </section>
  );
}

interface TransferProps {
  state: UploadState;
  onPause(): void;
  onResume(): void;
  onRemove(): void;
}

function Transfer({ state, onPause, onResume, onRemove }: TransferProps) {
  const { t } = useTexts();
  const language = useLanguage();
  const words = {
    idle: '',
    uploading: state.share >= 1 ? t('upload:checking') : t('upload:uploading'),
    paused: t('upload:paused'),
    done: t('upload:uploaded'),
    failed: codeText(state.problem),
  }[state.phase];
  const size = state.file?.size ?? 0;
  const speed = state.phase === 'uploading' && state.share < 1 ? state.bytesPerSecond : undefined;
  return (
    <div className={styles['transfer']}>
      <div className={formStyles['row']}>
        <div className={formStyles['grow']}>
          <b className={styles['file']}>{state.file?.name}</b>
          <p className={formStyles['muted']} role={state.phase === 'failed' ? 'alert' : undefined}>
            {words} · {formatPercent(state.share, language)} · {formatBytes(size * state.share, language)} /{' '}
            {formatBytes(size, language)}
            {speed !== undefined &&
              ` · ${t('upload:speed', {
                speed: formatBytes(speed, language),
                time: formatDuration(((1 - state.share) * size * 1000) / speed),
              })}`}
          </p>
        </div>
        {state.phase === 'uploading' && (
          <Button size="sm" icon={<Pause size={16} aria-hidden />} onClick={onPause}>
            {t('upload:pause')}
          </Button>
        )}
        {(state.phase === 'paused' || (state.phase === 'failed' && !state.problem?.startsWith('media-'))) && (
          <Button size="sm" icon={<Play size={16} aria-hidden />} onClick={onResume}>
            {t('upload:resume')}
          </Button>
        )}
        <Button size="sm" tone="plain" icon={<X size={16} aria-hidden />} onClick={onRemove}>
          {t('upload:remove')}
        </Button>
      </div>
      <progress
        className={styles['progress']}
        value={state.share}
        max={1}
        aria-label={t('upload:uploading')}
      />
    </div>
  );
}

function Published({ id, title, onAnother }: { id: string; title: string; onAnother(): void }) {
  const { t } = useTexts();
  const language = useLanguage();
  const { progress, error } = useTranscodeProgress(id);
  const percent = progress?.percent ?? 0;
  const canWatch = progress?.status === 'playable' || progress?.status === 'ready';
  return (
    <Card title={title}>
      <p role="status">
        {error !== undefined
          ? errorText(error)
          : progress?.failure
            ? codeText(progress.failure.code)
            : t(`upload:stages.${progress?.stage ?? 'queued'}`)}
        {' · '}
        {t('upload:progress', { percent: formatPercent(percent / 100, language) })}
      </p>
      <progress className={styles['progress']} value={percent} max={100} aria-label={title} />
      <div className={formStyles['row']}>
        {canWatch && (
          <Link to="/v/$id" params={{ id }} className={buttonClass({ tone: 'accent' })}>
            {t('upload:watch')}
          </Link>
        )}
        <Button onClick={onAnother}>{t('upload:another')}</Button>
        <Link to="/studio" className={buttonClass({ tone: 'plain' })}>
          {t('nav.studio')}
        </Link>
      </div>
    </Card>
  );
}

function useTranscodeProgress(id: string) {
  const [progress, setProgress] = useState<TranscodeProgress | undefined>(undefined);
  const [error, setError] = useState<unknown>(undefined);
  useEffect(() => {
    const controller = new AbortController();
    const follow = async () => {
      for await (const event of client.events(api.videos.progress, { params: { id } }, controller)) {
        if (event.type !== 'progress') continue;
        const next: TranscodeProgress = JSON.parse(event.data);
        setProgress(next);
        if (next.status === 'ready' || next.status === 'failed') return;
      }
    };
    follow().catch((reason: unknown) => {
      if (!controller.signal.aborted) setError(reason);
    });
    return () => controller.abort();
  }, [id]);
  return { progress, error };
}

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
import { formatBytes, formatPercent } from '../../lib/format.ts';
import { useLanguage } from '../../lib/use-language.ts';
import { useTitle } from '../../lib/use-title.ts';
import { Button, buttonClass } from '../../ui/button.tsx';
import { SelectField, TextArea, TextField } from '../../ui/field.tsx';
import { Card, Form, formStyles, textOf } from '../../ui/form.tsx';
import { Page } from '../../ui/page.tsx';
import { toast } from '../../ui/toast.tsx';
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
          <Uploader />
        </Page>
      )}
    </RequireViewer>
  );
}

function Uploader() {
  const { t } = useTexts();
  const { state, start, pause, resume, reset } = useUpload();
  const publish = useMutation({
    mutationFn: ({ values, uploadId }: { values: FormData; uploadId: string }) =>
      client.call(api.videos.create, {
        body: {
          uploadId,
          title: textOf(values, 'title'),
          description: textOf(values, 'description'),
          tags: textOf(values, 'tags')
            .split(/[\s,，、]+/)
            .filter(Boolean),
          visibility: visibilities.find((it) => it === values.get('visibility')) ?? 'public',
        },
      }),
    onSuccess: () => {
      toast(t('upload:published'));
      void queryClient.invalidateQueries({ queryKey: ['studio'] });
      void queryClient.invalidateQueries({ queryKey: ['videos'] });
    },
  });
  if (publish.data) {
    const again = () => {
      publish.reset();
      reset();
    };
    return <Published id={publish.data.id} title={publish.data.title} onAnother={again} />;
  }
  if (state.file === undefined) return <DropZone onFile={(file) => void start(file)} />;
  const fields = errorFields(publish.error);
  const uploadId = state.phase === 'done' ? state.uploadId : undefined;
  return (
    <Card>
      <Transfer state={state} onPause={pause} onResume={resume} onRemove={reset} />
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
          defaultValue={state.file.name.replace(/\.[^.]+$/, '').slice(0, TITLE_MAX)}
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
        <Button type="submit" tone="accent" size="lg" block disabled={!uploadId} busy={publish.isPending}>
          {t('upload:publish')}
        </Button>
      </Form>
    </Card>
  );
}

function DropZone({ onFile }: { onFile(file: File): void }) {
  const { t } = useTexts();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const take = (file: File | undefined) => {
    if (!file) return;
    if (file.type && !file.type.startsWith('video/')) toast(t('upload:notVideo'), 'error');
    else onFile(file);
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
        take(event.dataTransfer.files[0]);
      }}
    >
      <CloudUpload size={44} strokeWidth={1.6} aria-hidden />
      <p className={styles['drop']}>{t('upload:drop')}</p>
      <input
        ref={input}
        type="file"
        accept="video/*"
        hidden
        onChange={(event) => take(event.currentTarget.files?.[0])}
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
  return (
    <div className={styles['transfer']}>
      <div className={formStyles['row']}>
        <div className={formStyles['grow']}>
          <b className={styles['file']}>{state.file?.name}</b>
          <p className={formStyles['muted']} role={state.phase === 'failed' ? 'alert' : undefined}>
            {words} · {formatPercent(state.share, language)} · {formatBytes(state.file?.size ?? 0, language)}
          </p>
        </div>
        {state.phase === 'uploading' && (
          <Button size="sm" icon={<Pause size={16} aria-hidden />} onClick={onPause}>
            {t('upload:pause')}
          </Button>
        )}
        {(state.phase === 'paused' || (state.phase === 'failed' && state.problem === undefined)) && (
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

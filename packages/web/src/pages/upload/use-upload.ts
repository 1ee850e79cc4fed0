import { API_PREFIX } from '@hvideo/protocol';
import { useEffect, useRef, useState } from 'react';
import { DetailedError, Upload } from 'tus-js-client';
import { client } from '../../app/client.ts';

export interface UploadState {
  readonly phase: 'idle' | 'uploading' | 'paused' | 'done' | 'failed';
  readonly file: File | undefined;
  /** 0 to 1. */
  readonly share: number;
  /** Measured over the last seconds; undefined until there is something to go by. */
  readonly bytesPerSecond: number | undefined;
  readonly uploadId: string | undefined;
  /** The code of the server's refusal; undefined when no answer came. */
  readonly problem: string | undefined;
}

const idle: UploadState = {
  phase: 'idle',
  file: undefined,
  share: 0,
  bytesPerSecond: undefined,
  uploadId: undefined,
  problem: undefined,
};
const chunkBytes = 16 * 1024 * 1024;
const speedWindowMs = 2000;

/** One resumable upload: it goes on after a lost connection, and after a reload of the page with the same file. */
export function useUpload(file: File) {
  const [state, setState] = useState<UploadState>({ ...idle, phase: 'uploading', file });
  const current = useRef<Upload | undefined>(undefined);
  const measured = useRef<{ atMs: number; bytes: number } | undefined>(undefined);

  useEffect(() => {
    let isGone = false;
    const upload = new Upload(file, {
      endpoint: `${API_PREFIX}/uploads`,
      chunkSize: chunkBytes,
      retryDelays: [500, 1500, 4000, 8000, 15000],
      removeFingerprintOnSuccess: true,
      metadata: { filename: file.name, filetype: file.type },
      onBeforeRequest: async (request) => {
        for (const [name, value] of Object.entries(await client.authHeaders()))
          request.setHeader(name, value);
      },
      onProgress: (sent, total) => {
        const nowMs = performance.now();
        const from = measured.current;
        const isDue = from !== undefined && nowMs - from.atMs >= speedWindowMs;
        const speed =
          isDue && sent > from.bytes ? ((sent - from.bytes) / (nowMs - from.atMs)) * 1000 : undefined;
        if (from === undefined || isDue) measured.current = { atMs: nowMs, bytes: sent };
        setState((last) => ({
          ...last,
          share: total > 0 ? sent / total : 0,
          bytesPerSecond: speed ?? last.bytesPerSecond,
        }));
      },
      onSuccess: () =>
        setState((last) => ({ ...last, phase: 'done', share: 1, uploadId: upload.url?.split('/').at(-1) })),
      onError: (error) => setState((last) => ({ ...last, phase: 'failed', problem: problemCode(error) })),
    });
    current.current = upload;
    const begin = async () => {
      const earlier = await upload.findPreviousUploads();
      if (isGone) return;
      if (earlier[0]) upload.resumeFromPreviousUpload(earlier[0]);
      upload.start();
    };
    begin().catch(() => setState((last) => ({ ...last, phase: 'failed', problem: undefined })));
    return () => {
      isGone = true;
      void upload.abort();
    };
  }, [file]);
  const pause = () => {
    measured.current = undefined;
    void current.current?.abort();
    setState((last) => ({ ...last, phase: 'paused', bytesPerSecond: undefined }));
  };
  const resume = () => {
    setState((last) => ({ ...last, phase: 'uploading', problem: undefined }));
    current.current?.start();
  };
  /** Gives up what is not finished, on the server too. */
  const cancel = () => {
    void current.current?.abort(state.phase !== 'done');
  };
  return { state, pause, resume, cancel };
}

function problemCode(error: Error | DetailedError): string | undefined {
  const body = error instanceof DetailedError ? error.originalResponse?.getBody() : undefined;
  if (!body) return undefined;
  try {
    const problem: unknown = JSON.parse(body);
    return typeof problem === 'object' &&
      problem !== null &&
      'code' in problem &&
      typeof problem.code === 'string'
      ? problem.code
      : undefined;
  } catch {
    return undefined; // A proxy's page rather than a problem document.
  }
}

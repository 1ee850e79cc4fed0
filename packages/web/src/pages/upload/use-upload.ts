import { API_PREFIX } from '@hvideo/protocol';
import { useEffect, useRef, useState } from 'react';
import { DetailedError, Upload } from 'tus-js-client';
import { client } from '../../app/client.ts';

export interface UploadState {
  readonly phase: 'idle' | 'uploading' | 'paused' | 'done' | 'failed';
  readonly file: File | undefined;
  /** 0 to 1. */
  readonly share: number;
  readonly uploadId: string | undefined;
  /** The code of the server's refusal; undefined when no answer came. */
  readonly problem: string | undefined;
}

const idle: UploadState = {
  phase: 'idle',
  file: undefined,
  share: 0,
  uploadId: undefined,
  problem: undefined,
};
const chunkBytes = 8 * 1024 * 1024;

/** One resumable upload: it goes on after a lost connection, and after a reload of the page with the same file. */
export function useUpload() {
  const [state, setState] = useState(idle);
  const current = useRef<Upload | undefined>(undefined);
  useEffect(() => () => void current.current?.abort(), []);

  const start = async (file: File) => {
    await current.current?.abort();
    setState({ ...idle, phase: 'uploading', file });
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
      onProgress: (sent, total) => setState((last) => ({ ...last, share: total > 0 ? sent / total : 0 })),
      onSuccess: () =>
        setState((last) => ({ ...last, phase: 'done', share: 1, uploadId: upload.url?.split('/').at(-1) })),
      onError: (error) => setState((last) => ({ ...last, phase: 'failed', problem: problemCode(error) })),
    });
    current.current = upload;
    const earlier = await upload.findPreviousUploads();
    if (earlier[0]) upload.resumeFromPreviousUpload(earlier[0]);
    upload.start();
  };
  const pause = () => {
    void current.current?.abort();
    setState((last) => ({ ...last, phase: 'paused' }));
  };
  const resume = () => {
    setState((last) => ({ ...last, phase: 'uploading', problem: undefined }));
    current.current?.start();
  };
  const reset = () => {
    void current.current?.abort(state.phase !== 'done');
    current.current = undefined;
    setState(idle);
  };
  return { state, start, pause, resume, reset };
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

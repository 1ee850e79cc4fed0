import { CloudUpload } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { useIsDesktop } from '../../lib/use-media.ts';
import { Button } from '../../ui/button.tsx';
import { toast } from '../../ui/toast.tsx';
import styles from './upload-page.module.css';

interface DropZoneProps {
  onFiles(files: readonly File[]): void;
  /** There are files already. */
  isSmall: boolean;
}

export function DropZone({ onFiles, isSmall }: DropZoneProps) {
  const { t } = useTexts();
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const isDesktop = useIsDesktop();
  useNoStrayDrops();
  const take = (list: FileList | null) => {
    const files = [...(list ?? [])];
    // Browsers do not know every container: a file without a type is left to the server.
    const videos = files.filter((file) => file.type === '' || file.type.startsWith('video/'));
    if (videos.length < files.length) toast(t('upload:notVideo'), 'error');
    if (videos.length > 0) onFiles(videos);
  };
  return (
    <section
      className={classes(styles['zone'], isSmall && styles['small'], isOver && styles['over'])}
      aria-label={t('upload:title')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        // Moving onto a child is leaving too, as browsers tell it.
        if (!event.currentTarget.contains(event.relatedTarget instanceof Node ? event.relatedTarget : null)) {
          setOver(false);
        }
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer.files);
      }}
    >
      <span className={styles['cloud']}>
        <CloudUpload size={isSmall ? 26 : 40} strokeWidth={1.7} aria-hidden />
      </span>
      <p className={styles['drop']}>
        {t(!isDesktop ? 'upload:pick' : isSmall ? 'upload:dropMore' : 'upload:drop')}
      </p>
      {!isSmall && <p className={styles['formats']}>{t('upload:formats')}</p>}
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
      <Button
        tone={isSmall ? 'soft' : 'accent'}
        size={isSmall ? 'md' : 'lg'}
        onClick={() => input.current?.click()}
      >
        {t('upload:choose')}
      </Button>
    </section>
  );
}

/** A file dropped beside the zone would take the browser to it, and the uploads with it. */
function useNoStrayDrops() {
  useEffect(() => {
    const ignore = (event: DragEvent) => event.preventDefault();
    addEventListener('dragover', ignore);
    addEventListener('drop', ignore);
    return () => {
      removeEventListener('dragover', ignore);
      removeEventListener('drop', ignore);
    };
  }, []);
}

import { Link } from '@tanstack/react-router';
import { ImageIcon } from 'lucide-react';
import { type ReactNode, useMemo } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { classes } from '../lib/classes.ts';
import styles from './message-row.module.css';
import type { SaidContent } from './names.ts';
import { type TextPart, textParts } from './text-parts.ts';
import { VideoMessage } from './video-message.tsx';

interface MessageBodyProps {
  content: SaidContent;
  /** A few emoji and nothing else. */
  isBare: boolean;
  /** The time and how far it has come: at the end of the last line where there is room. */
  children: ReactNode;
}

export function MessageBody({ content, isBare, children }: MessageBodyProps) {
  const { t } = useTexts();
  switch (content.type) {
    case 'text':
      return (
        <div className={styles[isBare ? 'emoji' : 'text']} dir="auto">
          <Text text={content.text} />
          {children}
        </div>
      );
    case 'video':
      return (
        <div className={styles['card']}>
          <VideoMessage videoId={content.videoId} />
          {children}
        </div>
      );
    case 'image':
      return (
        <div className={styles['card']}>
          <Photo {...content} />
          {children}
        </div>
      );
    case 'custom':
      return (
        <div className={styles['text']}>
          <em>{t('chat:unknownContent')}</em>
          {children}
        </div>
      );
    case 'deleted':
      return (
        <div className={classes(styles['text'], styles['gone'])}>
          {t('chat:deleted')}
          {children}
        </div>
      );
  }
}

function Text({ text }: { text: string }) {
  const parts = useMemo(() => textParts(text, location.origin), [text]);
  // The parts of a text never change their places: those are good keys.
  return [...parts.entries()].map(([at, part]) => <Part key={at} part={part} />);
}

function Part({ part }: { part: TextPart }) {
  switch (part.kind) {
    case 'text':
      return part.text;
    case 'mention':
      return (
        <Link to="/$handle" params={{ handle: part.text }}>
          {part.text}
        </Link>
      );
    case 'link':
      return (
        <a href={part.href} {...(!part.isHere && { target: '_blank', rel: 'noopener noreferrer nofollow' })}>
          {part.text}
        </a>
      );
  }
}

interface PhotoProps {
  url: string;
  width: number;
  height: number;
}

const widestPx = 288;
const highestPx = 384;

/** It has its room before it is loaded. What lies elsewhere is a link: fetching it would tell them who reads it. */
function Photo({ url, width, height }: PhotoProps) {
  const { t } = useTexts();
  const isHere = new URL(url, location.origin).origin === location.origin;
  const scale = Math.min(1, widestPx / width, highestPx / height);
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow" aria-label={t('chat:photoOpen')}>
      {isHere ? (
        <img
          src={url}
          alt=""
          loading="lazy"
          decoding="async"
          width={Math.round(width * scale)}
          height={Math.round(height * scale)}
        />
      ) : (
        <span className={styles['elsewhere']}>
          <ImageIcon size={20} aria-hidden />
          {new URL(url, location.origin).host}
        </span>
      )}
    </a>
  );
}

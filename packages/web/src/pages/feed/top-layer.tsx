import { ArrowDown, ArrowUp, History, LoaderCircle, X } from 'lucide-react';
import type { RefObject } from 'react';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { IconButton } from '../../ui/button.tsx';
import styles from './top-layer.module.css';
import type { PullPhase } from './use-pull.ts';

export interface Offer {
  /** How many are above the place. */
  readonly above: number;
  /** More than that. */
  readonly isMore: boolean;
  take(): void;
  dismiss(): void;
}

interface TopLayerProps {
  sign: RefObject<HTMLDivElement | null>;
  phase: PullPhase;
  newCount: number;
  isMany: boolean;
  onNews(): void;
  onTop(): void;
  offer: Offer | undefined;
  /** Newer videos are above the first one of the list. */
  isBelowTop: boolean;
}

/** What lies on the upper edge of the feed: the sign of a refresh, how many are new, and where one was. */
export function TopLayer({ sign, phase, newCount, isMany, onNews, onTop, offer, isBelowTop }: TopLayerProps) {
  const { t } = useTexts();
  const hasNews = newCount > 0 && phase !== 'busy';
  return (
    <div className={styles['layer']}>
      <PullSign sign={sign} phase={phase} />
      <div role="status" className={styles['status']}>
        {hasNews && (
          <button
            type="button"
            className={styles['pill']}
            aria-label={t('feed:newSpoken', { count: newCount })}
            onClick={onNews}
          >
            <ArrowUp size={17} strokeWidth={2.8} aria-hidden />
            {isMany ? t('feed:newMany', { count: newCount }) : t('feed:new', { count: newCount })}
          </button>
        )}
        {!hasNews && isBelowTop && (
          <button type="button" className={classes(styles['pill'], styles['quiet'])} onClick={onTop}>
            <ArrowUp size={17} strokeWidth={2.8} aria-hidden />
            {t('feed:newest')}
          </button>
        )}
        {offer && !hasNews && <OfferCard offer={offer} />}
      </div>
    </div>
  );
}

function OfferCard({ offer }: { offer: Offer }) {
  const { t } = useTexts();
  const number = offer.isMore ? `${offer.above}+` : String(offer.above);
  return (
    <div className={styles['offer']}>
      <button type="button" className={styles['take']} onClick={offer.take}>
        <span className={styles['glyph']}>
          <History size={19} aria-hidden />
        </span>
        <span className={styles['words']}>
          <strong>{t('feed:continueTitle')}</strong>
          <small>{t('feed:continueText', { number })}</small>
        </span>
      </button>
      <IconButton label={t('feed:continueDismiss')} tone="plain" size="sm" onClick={offer.dismiss}>
        <X size={17} aria-hidden />
      </IconButton>
    </div>
  );
}

function PullSign({ sign, phase }: Pick<TopLayerProps, 'sign' | 'phase'>) {
  const { t } = useTexts();
  const words = { idle: '', pulling: t('feed:pull'), ready: t('feed:release'), busy: t('feed:refreshing') }[
    phase
  ];
  return (
    <div ref={sign} className={classes(styles['pull'], styles[phase])} role="status">
      <span className={styles['disc']}>
        {phase === 'busy' ? (
          <LoaderCircle className={styles['spin']} size={21} aria-hidden />
        ) : (
          <ArrowDown className={styles['arrow']} size={21} strokeWidth={2.4} aria-hidden />
        )}
      </span>
      <span className={phase === 'busy' ? 'visually-hidden' : styles['hint']}>{words}</span>
    </div>
  );
}

/** On the slide where the reading of last time begins. */
export function SeenMarker({ time }: { time: string }) {
  const { t } = useTexts();
  return (
    <p className={styles['seen']}>
      <span>{t('feed:seenBefore', { time })}</span>
    </p>
  );
}

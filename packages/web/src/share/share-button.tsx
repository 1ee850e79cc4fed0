import type { VideoCard } from '@hvideo/protocol';
import { Share2 } from 'lucide-react';
import { useState } from 'react';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from '../ui/button.tsx';
import { ShareSheet } from './share-sheet.tsx';

export function ShareButton({ card }: { card: VideoCard }) {
  const { t } = useTexts();
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button size="sm" icon={<Share2 size={17} aria-hidden />} onClick={() => setOpen(true)}>
        {t('share:title')}
      </Button>
      <ShareSheet card={card} open={isOpen} onOpenChange={setOpen} />
    </>
  );
}

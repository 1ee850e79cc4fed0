import { useLanguageChoice, useThemeChoice } from '../../app/looks.ts';
import { Card, formStyles } from '../../ui/form.tsx';
import { Segments } from '../../ui/segments.tsx';

export function LooksSection() {
  const theme = useThemeChoice();
  const language = useLanguageChoice();
  return (
    <Card>
      <div className={formStyles['line']}>
        <b>{theme.label}</b>
        <Segments {...theme} />
      </div>
      <div className={formStyles['line']}>
        <b>{language.label}</b>
        <Segments {...language} />
      </div>
    </Card>
  );
}

import type { Account } from '@hvideo/protocol';
import { Link, useParams } from '@tanstack/react-router';
import {
  ArrowLeft,
  ChevronRight,
  Database,
  KeyRound,
  type LucideIcon,
  MonitorSmartphone,
  Palette,
  ShieldBan,
  Ticket,
  UserRound,
} from 'lucide-react';
import type { ComponentType } from 'react';
import { RequireViewer } from '../../app/require-viewer.tsx';
import { useTexts } from '../../i18n/use-texts.ts';
import { classes } from '../../lib/classes.ts';
import { useTitle } from '../../lib/use-title.ts';
import { NotFoundPage } from '../not-found/not-found-page.tsx';
import { DataSection } from './data-section.tsx';
import { DevicesSection } from './devices-section.tsx';
import { InvitationsSection } from './invitations-section.tsx';
import { LooksSection } from './looks-section.tsx';
import { PasswordSection } from './password-section.tsx';
import { PrivacySection } from './privacy-section.tsx';
import { ProfileSection } from './profile-section.tsx';
import styles from './settings-page.module.css';

const sectionNames = ['profile', 'looks', 'security', 'devices', 'privacy', 'invitations', 'data'] as const;
type SectionName = (typeof sectionNames)[number];

const sections: Record<SectionName, { icon: LucideIcon; body: ComponentType<{ viewer: Account }> }> = {
  profile: { icon: UserRound, body: ProfileSection },
  looks: { icon: Palette, body: LooksSection },
  security: { icon: KeyRound, body: PasswordSection },
  devices: { icon: MonitorSmartphone, body: DevicesSection },
  privacy: { icon: ShieldBan, body: PrivacySection },
  invitations: { icon: Ticket, body: InvitationsSection },
  data: { icon: Database, body: DataSection },
};

const isSection = (text: string): text is SectionName => sectionNames.some((name) => name === text);

/** The list of sections; on wide screens with the first one beside it. */
export function SettingsPage() {
  return <Settings chosen={undefined} />;
}

export function SettingsSectionPage() {
  const { section } = useParams({ from: '/settings/$section' });
  return isSection(section) ? <Settings chosen={section} /> : <NotFoundPage />;
}

function Settings({ chosen }: { chosen: SectionName | undefined }) {
  const { t } = useTexts();
  useTitle(chosen === undefined ? t('nav.settings') : t(`account:sections.${chosen}`));
  return (
    <RequireViewer>{(viewer) => <Layout key={viewer.id} viewer={viewer} chosen={chosen} />}</RequireViewer>
  );
}

function Layout({ viewer, chosen }: { viewer: Account; chosen: SectionName | undefined }) {
  const { t } = useTexts();
  const shown = chosen ?? 'profile';
  const isModerator = viewer.role !== 'user';
  if (shown === 'invitations' && !isModerator) return <NotFoundPage />;
  const { body: Body } = sections[shown];
  return (
    <div className={classes(styles['layout'], chosen === undefined && styles['index'])}>
      <div className={styles['side']}>
        <h1>{t('nav.settings')}</h1>
        <nav aria-label={t('nav.settings')} className={styles['nav']}>
          {sectionNames
            .filter((name) => name !== 'invitations' || isModerator)
            .map((name) => {
              const { icon: Icon } = sections[name];
              return (
                <Link
                  key={name}
                  to="/settings/$section"
                  params={{ section: name }}
                  className={classes(styles['item'], name === shown && styles['active'])}
                  aria-current={name === chosen ? 'page' : undefined}
                >
                  <Icon size={20} aria-hidden />
                  <span>{t(`account:sections.${name}`)}</span>
                  <ChevronRight className={styles['chevron']} size={18} aria-hidden />
                </Link>
              );
            })}
        </nav>
      </div>
      <section className={styles['section']} aria-labelledby="settings-section">
        <header className={styles['header']}>
          <Link to="/settings" className={styles['back']} aria-label={t('actions.back')}>
            <ArrowLeft aria-hidden />
          </Link>
          <h2 id="settings-section">{t(`account:sections.${shown}`)}</h2>
        </header>
        <Body viewer={viewer} />
      </section>
    </div>
  );
}

import './styles/tokens.css';
import './styles/base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './app/query.ts';
import { startI18n } from './i18n/index.ts';
import { EmbedPage } from './pages/embed/embed-page.tsx';

// The player alone, in a document of its own: it is shown in frames of other sites, and the app must never be.
const id = location.pathname.split('/').at(-1) ?? '';
await startI18n();

const root = document.getElementById('root');
if (root === null) throw new TypeError('embed.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <EmbedPage id={id} />
    </QueryClientProvider>
  </StrictMode>,
);

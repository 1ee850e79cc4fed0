import './styles/tokens.css';
import './styles/base.css';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './app/query.ts';
import { router } from './app/router.tsx';
import { instanceQuery, viewerQuery } from './app/session.ts';
import { startI18n } from './i18n/index.ts';

// Both are asked for while the texts load.
void queryClient.prefetchQuery(viewerQuery);
void queryClient.prefetchQuery(instanceQuery);
await startI18n();

const root = document.getElementById('root');
if (root === null) throw new TypeError('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);

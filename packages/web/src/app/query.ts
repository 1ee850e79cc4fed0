import { ApiError, NetworkError } from '@hvideo/client';
import { QueryClient } from '@tanstack/react-query';

/** The client retries what is worth it within one call, so queries do not retry on top of that. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry: false,
      staleTime: 30_000,
      gcTime: 10 * 60_000,
      refetchOnWindowFocus: false,
      // The calls fail fast by themselves, and pages show that; pausing would leave them loading for ever.
      networkMode: 'always',
    },
    mutations: { retry: false, networkMode: 'always' },
  },
});

export const isNotFound = (error: unknown) => error instanceof ApiError && error.status === 404;
export const isOffline = (error: unknown) => error instanceof NetworkError && !error.timedOut;

import type { AuthSession } from '@hvideo/protocol';
import { useRouter } from '@tanstack/react-router';
import { changeViewer } from './session.ts';

/** After signing in: becomes that person and goes where they wanted to be. */
export function useEnter(): (session: AuthSession, next?: string) => void {
  const router = useRouter();
  return (session, next = '/') => {
    changeViewer(session.user);
    router.history.replace(next);
  };
}

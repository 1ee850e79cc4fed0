import { api, type User } from '@hvideo/protocol';
import { useMutation } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { MessageCircle } from 'lucide-react';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { useSignedIn } from '../engagement/react.ts';
import { useTexts } from '../i18n/use-texts.ts';
import { Button } from '../ui/button.tsx';
import { toast } from '../ui/toast.tsx';

/** Leads to the conversation with somebody, which begins with it. */
export function MessageButton({ user }: { user: User }) {
  const { t } = useTexts();
  const navigate = useNavigate();
  const signedIn = useSignedIn();
  const begin = useMutation({
    mutationFn: () =>
      client.call(api.conversations.create, { body: { type: 'direct', memberIds: [user.id] } }),
    onSuccess: ({ id }) => navigate({ to: '/messages/$conversation', params: { conversation: id } }),
    onError: (error) => toast(errorText(error), 'error'),
  });
  return (
    <Button
      busy={begin.isPending}
      icon={<MessageCircle size={18} aria-hidden />}
      aria-label={t('chats.messageName', { name: user.displayName })}
      onClick={() => signedIn(() => begin.mutate())}
    >
      {t('chats.message')}
    </Button>
  );
}

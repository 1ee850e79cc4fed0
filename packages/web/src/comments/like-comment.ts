import { api, type Comment } from '@hvideo/protocol';
import { client } from '../app/client.ts';
import { errorText } from '../app/errors.ts';
import { Wishes } from '../engagement/wishes.ts';
import { toast } from '../ui/toast.tsx';
import { patchComment } from './queries.ts';

const show = (id: string, isOn: boolean) =>
  patchComment(id, (comment) =>
    comment.viewer.liked === isOn
      ? comment
      : {
          ...comment,
          likes: Math.max(0, comment.likes + (isOn ? 1 : -1)),
          viewer: { ...comment.viewer, liked: isOn },
        },
  );

const wishes = new Wishes<boolean>(
  (id, isOn) => client.call(isOn ? api.comments.like : api.comments.unlike, { params: { id } }),
  (id, held, error) => {
    show(id, held);
    toast(errorText(error), 'error');
  },
);

export function likeComment(comment: Comment, isOn: boolean): void {
  show(comment.id, isOn);
  wishes.wish(comment.id, isOn, comment.viewer.liked);
}

import { api, type Comment, type CommentOrder, type Page } from '@hvideo/protocol';
import { type InfiniteData, infiniteQueryOptions } from '@tanstack/react-query';
import { client } from '../app/client.ts';
import { queryClient } from '../app/query.ts';

export type CommentPages = InfiniteData<Page<Comment>, string | undefined>;

export const commentsQuery = (videoId: string, sort: CommentOrder) =>
  infiniteQueryOptions({
    queryKey: ['comments', videoId, sort],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.comments.list,
        { params: { id: videoId }, query: { sort, limit: 20, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

export const repliesQuery = (commentId: string) =>
  infiniteQueryOptions({
    queryKey: ['replies', commentId],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam, signal }) =>
      client.call(
        api.comments.replies,
        { params: { id: commentId }, query: { limit: 10, ...(pageParam && { cursor: pageParam }) } },
        { signal },
      ),
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

const holdsComments = {
  predicate: ({ queryKey }: { queryKey: readonly unknown[] }) =>
    queryKey[0] === 'comments' || queryKey[0] === 'replies',
};

/** Changes the comments of every list that is open; undefined takes one out. */
export function patchComments(change: (comment: Comment) => Comment | undefined): void {
  // The one that a link led to stands alone.
  queryClient.setQueriesData<Comment | null>(
    { queryKey: ['comment'] },
    (shown) => shown && (change(shown) ?? null),
  );
  queryClient.setQueriesData<CommentPages>(
    holdsComments,
    (data) =>
      data && {
        ...data,
        pages: data.pages.map((page) => ({
          ...page,
          items: page.items.map(change).filter((comment) => comment !== undefined),
        })),
      },
  );
}

export const patchComment = (id: string, change: (comment: Comment) => Comment) =>
  patchComments((comment) => (comment.id === id ? change(comment) : comment));

/** Shows a new comment where its writer looks for it: first, but below what is pinned; a reply last in its thread. */
export function insertComment(comment: Comment): void {
  if (comment.rootId !== null) {
    patchComment(comment.rootId, (root) => ({ ...root, replies: root.replies + 1 }));
    void appendReply(comment, comment.rootId);
    return;
  }
  for (const sort of ['heat', 'time']) {
    queryClient.setQueryData<CommentPages>(['comments', comment.videoId, sort], (data) => {
      const [first, ...rest] = data?.pages ?? [];
      if (!data || !first) return data;
      const pinned = first.items.filter(({ pinned }) => pinned);
      const others = first.items.filter(({ pinned }) => !pinned);
      return { ...data, pages: [{ ...first, items: [...pinned, comment, ...others] }, ...rest] };
    });
  }
}

/** Below what is read of the thread, also when more of it is to come: then it comes once more. */
async function appendReply(reply: Comment, rootId: string): Promise<void> {
  const thread = repliesQuery(rootId);
  if (!queryClient.getQueryData(thread.queryKey)) await queryClient.prefetchInfiniteQuery(thread);
  queryClient.setQueryData(thread.queryKey, (data) => {
    const last = data?.pages.at(-1);
    if (!data || !last) return data;
    return { ...data, pages: [...data.pages.slice(0, -1), { ...last, items: [...last.items, reply] }] };
  });
}

/** Each where it was read last. */
export function eachOnce(comments: readonly Comment[]): Comment[] {
  const lastAt = new Map(comments.map(({ id }, at) => [id, at]));
  return comments.filter(({ id }, at) => lastAt.get(id) === at);
}

export function removeComment(gone: Comment): void {
  patchComments((comment) => {
    if (comment.id === gone.id || comment.rootId === gone.id) return undefined;
    return comment.id === gone.rootId ? { ...comment, replies: Math.max(0, comment.replies - 1) } : comment;
  });
}

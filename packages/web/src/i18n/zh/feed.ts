import type { feed as en } from '../en/feed.ts';

type Texts = Omit<typeof en, 'new_one' | 'newSpoken_one'>;

export const feed: Texts = {
  new_other: '{{count}} 条新视频',
  newMany: '{{count}}+ 条新视频',
  newSpoken_other: '{{count}} 条新视频，点按查看',
  newest: '回到最新',
  refresh: '看看有没有新视频',
  refreshing: '正在查找新视频',
  pull: '下拉刷新',
  release: '松开刷新',
  nothingNew: '暂时没有新视频',
  refreshFailed: '没能查到新视频。',
  continueTitle: '继续上次的位置',
  continueText: '上面有 {{number}} 条新视频',
  continueDismiss: '留在最前面',
  seenBefore: '{{time}}看到这里',
  reposted: '转发了',
  repostedBy: '{{name}} 转发',
  caughtUp: '全部看完啦',
  caughtUpText: '你关注的人的每一条视频都在这里了，一直到他们的第一条。',
  discover: '你可能还没看过',
  discoverAction: '去发现更多',
  repost: {
    title: '转发',
    text: '关注你的人都会在他们的关注页里看到它。',
    comment: '转发语',
    placeholder: '说说为什么推荐（可不填）',
    plain: '转发',
    withComment: '附言转发',
    change: '保存转发语',
    already: '你已经转发过了，新的转发语会替换原来的。',
    undo: '撤销转发',
    undone: '已撤销转发',
    left: '还可输入 {{count}} 字',
  },
};

import type { Locale } from '@hvideo/protocol';

export type Haircut = 'bob' | 'long' | 'short' | 'bun' | 'curls' | 'cap';
export type Skin = 'light' | 'medium' | 'dark';

/** What somebody's picture shows: the person, or a place. */
export type Look = readonly [Skin, Haircut] | 'place';

export interface Person {
  readonly username: string;
  readonly displayName: string;
  readonly bio: string;
  readonly locale: Locale;
  readonly look: Look;
}

type About = readonly [username: string, displayName: string, bio: string, look: Look];

const en = (...[username, displayName, bio, look]: About): Person => ({
  ...{ username, displayName, bio, look },
  locale: 'en',
});
const zh = (...[username, displayName, bio, look]: About): Person => ({
  ...{ username, displayName, bio, look },
  locale: 'zh',
});

/** The most followed come first. All of them are invented. */
export const roster: readonly Person[] = [
  zh('lin_wanqiu', '林晚秋', '追光的人。极光、海和一切会慢慢变化的东西。', ['light', 'long']),
  en('maya_okafor', 'Maya Okafor', 'Small loops for long days. Light, glass and noise functions.', [
    'dark',
    'curls',
  ]),
  zh('shen_nanxing', '沈南星', '业余天文 · 城市边缘看星星，夜里两点发动态', 'place'),
  en('jonas_lindqvist', 'Jonas Lindqvist', 'Slow weather from the north. Field recordings, mostly rain.', [
    'light',
    'short',
  ]),
  zh('chenyu', '陈屿', '把海装进口袋。浙江舟山', ['light', 'short']),
  en('priya_raman', 'Priya Raman', 'Maths that moves. Every clip ends where it began.', ['medium', 'long']),
  zh('su_nian', '苏念', '水墨、丝绸、玉。用代码画国画', ['light', 'bun']),
  en('ines_duarte', 'Inês Duarte', 'Lisbon. I collect sunsets and the sound that goes with them.', [
    'medium',
    'bob',
  ]),
  zh('gu_bei', '顾北', '合成器与老磁带。给画面配一点安静的声音。', ['light', 'cap']),
  en('kai_nakamura', 'Kai Nakamura', 'Night walks, wet streets, warm windows.', ['light', 'short']),
  zh('he_xi', '何夕', '今夕何夕。做一些会循环的梦', 'place'),
  en('nora_whitfield', 'Nora Whitfield', 'Ceramics by day, kaleidoscopes by night.', ['light', 'bun']),
  zh('xu_zhixia', '许知夏', '夏天的萤火虫收藏家', ['light', 'bob']),
  en('leo_marchetti', 'Leo Marchetti', 'Pendulums, springs and other patient things.', ['medium', 'curls']),
  zh('jiang_xiaoyu', '江小鱼', '养鱼、看雨、发呆三件套', 'place'),
  en('amara_diallo', 'Amara Diallo', 'Colour first. Dakar / Marseille.', ['dark', 'bun']),
  zh('song_ye', '宋野', '山里人。雪、雾、松树和一只叫年糕的狗。', 'place'),
  en('finn_odell', 'Finn O’Dell', 'Retro futures, built from scratch.', ['light', 'cap']),
  zh('ye_qing', '叶青', '植物系。今天的叶子也很好看', ['light', 'bob']),
  en('hana_kim', 'Hana Kim', 'Soft things in motion. 부드럽게.', ['light', 'long']),
  zh('tang_guo', '唐果', '甜的、亮的、会发光的，我都喜欢～', ['light', 'bun']),
  en('elif_aydin', 'Elif Aydın', 'Geometry from old tiles, redrawn with new light.', ['medium', 'long']),
  zh('meng_he', '孟河', '摄影学徒。还在学怎么等光。', ['light', 'short']),
  en('sam_rivera', 'Sam Rivera', 'Here for the loops. Teaching myself shaders.', ['medium', 'cap']),
  zh('zhou_yifan', '周一帆', '程序员，偶尔把 bug 拍成视频', ['light', 'short']),
  en('zoe_larkin', 'Zoë Larkin', 'Sleep playlists for people who do not sleep.', 'place'),
  zh('bai_shuang', '白霜', '安静地看，偶尔点个赞', ['light', 'long']),
  en('tomas_rey', 'Tomás Rey', 'Mostly watching. Say hi.', ['medium', 'short']),
];

export function personOf(username: string): Person {
  const found = roster.find((person) => person.username === username);
  if (!found) throw new TypeError(`there is no "${username}" in the demo`);
  return found;
}

import type { Locale } from '@hvideo/protocol';

export interface Person {
  readonly username: string;
  readonly displayName: string;
  readonly bio: string;
  readonly locale: Locale;
}

const en = (username: string, displayName: string, bio: string): Person => ({
  username,
  displayName,
  bio,
  locale: 'en',
});
const zh = (username: string, displayName: string, bio: string): Person => ({
  username,
  displayName,
  bio,
  locale: 'zh',
});

/** The most followed come first. All of them are invented. */
export const roster: readonly Person[] = [
  zh('lin_wanqiu', '林晚秋', '追光的人。极光、海和一切会慢慢变化的东西。'),
  en('maya_okafor', 'Maya Okafor', 'Small loops for long days. Light, glass and noise functions.'),
  zh('shen_nanxing', '沈南星', '业余天文 · 城市边缘看星星，夜里两点发动态'),
  en('jonas_lindqvist', 'Jonas Lindqvist', 'Slow weather from the north. Field recordings, mostly rain.'),
  zh('chenyu', '陈屿', '把海装进口袋。浙江舟山'),
  en('priya_raman', 'Priya Raman', 'Maths that moves. Every clip ends where it began.'),
  zh('su_nian', '苏念', '水墨、丝绸、玉。用代码画国画'),
  en('ines_duarte', 'Inês Duarte', 'Lisbon. I collect sunsets and the sound that goes with them.'),
  zh('gu_bei', '顾北', '合成器与老磁带。给画面配一点安静的声音。'),
  en('kai_nakamura', 'Kai Nakamura', 'Night walks, wet streets, warm windows.'),
  zh('he_xi', '何夕', '今夕何夕。做一些会循环的梦'),
  en('nora_whitfield', 'Nora Whitfield', 'Ceramics by day, kaleidoscopes by night.'),
  zh('xu_zhixia', '许知夏', '夏天的萤火虫收藏家'),
  en('leo_marchetti', 'Leo Marchetti', 'Pendulums, springs and other patient things.'),
  zh('jiang_xiaoyu', '江小鱼', '养鱼、看雨、发呆三件套'),
  en('amara_diallo', 'Amara Diallo', 'Colour first. Dakar / Marseille.'),
  zh('song_ye', '宋野', '山里人。雪、雾、松树和一只叫年糕的狗。'),
  en('finn_odell', 'Finn O’Dell', 'Retro futures, built from scratch.'),
  zh('ye_qing', '叶青', '植物系。今天的叶子也很好看'),
  en('hana_kim', 'Hana Kim', 'Soft things in motion. 부드럽게.'),
  zh('tang_guo', '唐果', '甜的、亮的、会发光的，我都喜欢～'),
  en('elif_aydin', 'Elif Aydın', 'Geometry from old tiles, redrawn with new light.'),
  zh('meng_he', '孟河', '摄影学徒。还在学怎么等光。'),
  en('sam_rivera', 'Sam Rivera', 'Here for the loops. Teaching myself shaders.'),
  zh('zhou_yifan', '周一帆', '程序员，偶尔把 bug 拍成视频'),
  en('zoe_larkin', 'Zoë Larkin', 'Sleep playlists for people who do not sleep.'),
  zh('bai_shuang', '白霜', '安静地看，偶尔点个赞'),
  en('tomas_rey', 'Tomás Rey', 'Mostly watching. Say hi.'),
];

import { type Seeded, seeded } from '../art/seeded.ts';
import type { Person } from './roster.ts';

export interface Follow {
  readonly follower: string;
  readonly followee: string;
}

/** Zipf's exponent: the chance to be followed falls with the rank to this power. */
const exponent = 1.1;
/** People find those of their own language more easily. */
const sameLocaleFactor = 1.8;
const fewest = 3;
const most = 14;

/** Who follows whom: by a power law of rank, the same for the same seed. */
export function followsOf(people: readonly Person[], seed: number): Follow[] {
  const random = seeded(seed);
  return people.flatMap((person) => {
    const others = people.flatMap((other, rank) => {
      if (other === person) return [];
      const near = other.locale === person.locale ? sameLocaleFactor : 1;
      return [{ username: other.username, weight: near / (rank + 1) ** exponent }];
    });
    // Many follow few, few follow many.
    const count = fewest + Math.floor((most - fewest + 1) * random() ** 2);
    return drawWithout(random, others, count).map((followee) => ({ follower: person.username, followee }));
  });
}

/** Draws by weight, nobody twice. */
function drawWithout(
  random: Seeded,
  candidates: readonly { username: string; weight: number }[],
  count: number,
): string[] {
  // Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006): the largest keys win.
  return candidates
    .map(({ username, weight }) => ({ username, key: random() ** (1 / weight) }))
    .sort((a, b) => b.key - a.key)
    .slice(0, count)
    .map(({ username }) => username);
}

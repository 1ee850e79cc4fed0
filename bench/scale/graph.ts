import { Seeded } from './seeded.ts';

/**
 * A community, made from a seed. People are numbered by how much they are followed, the most first. Who follows whom is in
 * one array, reader by reader, so that a million people and their hundred million edges take half a gigabyte.
 */
export interface Graph {
  readonly people: number;
  /** The followees of reader r are `followees[starts[r]]` up to, not including, `followees[starts[r + 1]]`. */
  readonly starts: Uint32Array;
  readonly followees: Uint32Array;
  readonly followers: Uint32Array;
  /** First pages of the feed a day; 0: has not been here for a week. */
  readonly readsPerDay: Float64Array;
  readonly postsPerDay: Float64Array;
}

export interface GraphOptions {
  readonly people: number;
  readonly seed: number;
  /** The share of people who have read within a week. */
  readonly activeShare: number;
}

/** The number of people with k followers falls as k ** -2.2, as on Twitter and elsewhere. */
const followersExponent = 2.2;
/** Flattens the top: the largest is followed by a fifth of a million people, not by all of them. */
const flattenedRanks = 10;
const follows = { mean: 100, sigma: 1.2, most: 7_500 };
const reads = { least: 1, tail: 1.2, most: 100 };
const posts = { least: 0.02, tail: 1.3, most: 20 };
/** Posts grow with this power of the followers, so that somebody with a hundred thousand publishes ten times as much. */
const postsByFollowers = 0.35;

export function makeGraph({ people, seed, activeShare }: GraphOptions): Graph {
  const random = new Seeded(seed);
  const starts = startsOf(people, random);
  const followees = new Uint32Array(starts[people]!);
  const followers = new Uint32Array(people);
  follow(starts, followees, followers, random);
  const readsPerDay = new Float64Array(people);
  const postsPerDay = new Float64Array(people);
  for (let person = 0; person < people; person++) {
    // Drawn for everybody, so that a larger share adds readers and changes nobody.
    const [chance, rate] = [random.next(), random.pareto(reads.least, reads.tail, reads.most)];
    if (chance < activeShare) readsPerDay[person] = rate;
    const size = (1 + followers[person]! / follows.mean) ** postsByFollowers;
    const own = random.pareto(posts.least, posts.tail, posts.most);
    postsPerDay[person] = Math.min(own * size, posts.most);
  }
  return { people, starts, followees, followers, readsPerDay, postsPerDay };
}

function startsOf(people: number, random: Seeded): Uint32Array {
  const starts = new Uint32Array(people + 1);
  // In a small community nobody can follow everybody: distinct followees would take for ever to find.
  const most = Math.min(follows.most, Math.floor(people / 4));
  const middle = Math.log(follows.mean) - follows.sigma ** 2 / 2;
  for (let reader = 0; reader < people; reader++) {
    const count = Math.round(Math.exp(middle + follows.sigma * random.normal()));
    starts[reader + 1] = starts[reader]! + Math.min(Math.max(count, 1), most);
  }
  return starts;
}

/** Followees by their rank: of a power law of followers the rank-size rule follows, whose sum can be inverted. */
function follow(starts: Uint32Array, followees: Uint32Array, followers: Uint32Array, random: Seeded): void {
  const people = followers.length;
  const power = (followersExponent - 1) / (followersExponent - 2);
  const low = flattenedRanks ** (1 / power);
  const high = (people + flattenedRanks) ** (1 / power);
  const lastFollower = new Uint32Array(people);
  for (let reader = 0; reader < people; reader++) {
    for (let edge = starts[reader]!; edge < starts[reader + 1]!; ) {
      const rank = (low + random.next() * (high - low)) ** power - flattenedRanks;
      const followee = Math.min(Math.max(Math.floor(rank), 0), people - 1);
      if (followee === reader || lastFollower[followee] === reader + 1) continue;
      lastFollower[followee] = reader + 1;
      followees[edge++] = followee;
      followers[followee]! += 1;
    }
  }
}

import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../kernel/errors.ts';

/** Where to look for good stills: spread over the clip, away from fades at its ends. */
const candidateShares = [0.12, 0.3, 0.5, 0.7, 0.88];
const suggestionCount = 3;
/** A still exactly at the end does not exist; the last frame starts a little earlier. */
const tailMs = 150;

export function coverMoments(
  durationMs: number,
  chosenMs: number | undefined,
): { candidatesMs: number[]; chosenMs: number | undefined } {
  const lastMs = Math.max(0, durationMs - tailMs);
  const clamp = (ms: number) => Math.round(Math.min(Math.max(0, ms), lastMs));
  return {
    candidatesMs: candidateShares.map((share) => clamp(share * durationMs)),
    chosenMs: chosenMs === undefined ? undefined : clamp(chosenMs),
  };
}

export interface Candidate {
  readonly atMs: number;
  readonly path: string;
  /** Of the JPEG: black and blurred pictures are small, those with something to see are not. */
  readonly bytes: number;
}

/** The best three in the order of the clip, and the best of all. */
export function chooseSuggestions(candidates: readonly Candidate[]): {
  suggestions: Candidate[];
  best: Candidate;
} {
  const byDetail = candidates.filter(({ bytes }) => bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const best = byDetail[0];
  if (!best) throw new AppError('media-unreadable', { detail: 'No picture of the file could be decoded.' });
  const chosen = byDetail.slice(0, suggestionCount);
  // A clip too short for three moments repeats its best one: the pictures of the port are always there.
  while (chosen.length < suggestionCount) chosen.push(best);
  return { suggestions: chosen.sort((a, b) => a.atMs - b.atMs), best };
}

/** Gives the pictures their names and removes the rest. */
export async function placeCovers(
  outputDir: string,
  candidates: readonly Candidate[],
  chosen: Candidate | undefined,
): Promise<number[]> {
  const { suggestions, best } = chooseSuggestions(candidates);
  const cover = chosen && chosen.bytes > 0 ? chosen : best;
  const pictures = [cover, ...suggestions].map((picture) => Bun.file(picture.path));
  const contents = await Promise.all(pictures.map(async (picture) => await picture.bytes()));
  const names = ['cover.jpg', ...suggestions.map((_, i) => `cover-${i + 1}.jpg`)];
  for (const [i, name] of names.entries()) {
    const temporary = join(outputDir, `${name}.new`);
    await Bun.write(temporary, contents[i] ?? new Uint8Array());
    await rename(temporary, join(outputDir, name));
  }
  for (const { path } of [...candidates, ...(chosen ? [chosen] : [])]) await rm(path, { force: true });
  return suggestions.map(({ atMs }) => atMs);
}

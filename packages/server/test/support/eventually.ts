/** Asks again until there is an answer other than undefined and false; fails after the deadline. */
export async function eventually<T>(
  ask: () => Promise<T | undefined | false>,
  deadlineMs = 10_000,
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > endMs) throw new Error(`not within ${deadlineMs} ms`);
    await Bun.sleep(10);
  }
}

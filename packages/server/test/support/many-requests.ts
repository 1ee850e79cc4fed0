/**
 * Many requests at the same moment, from a process of its own: `bun many-requests.ts COUNT URL...` asks them in turn, and
 * prints how many answers there were of each status, and the longest wait.
 */
const [count = '0', ...urls] = process.argv.slice(2);
const statuses: Record<string, number> = {};
let longestMs = 0;
await Promise.all(
  Array.from({ length: Number(count) }, async (_, at) => {
    const startedMs = performance.now();
    const name = await fetch(urls[at % urls.length] ?? '').then(
      async (response) => {
        const text = await response.text();
        if (!response.ok) return `${response.status} ${text}`;
        return String(response.status);
      },
      (error: Error) => error.message,
    );
    statuses[name] = (statuses[name] ?? 0) + 1;
    longestMs = Math.max(longestMs, performance.now() - startedMs);
  }),
);
process.stdout.write(JSON.stringify({ statuses, longestMs: Math.round(longestMs) }));

export {};

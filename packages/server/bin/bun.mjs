// Finds the Bun binary that npm installed and runs it in place of this process.
//
// The binary arrives as an optional dependency for the platform, and Bun's install script moves it into the `bun`
// package. npm 12 runs no install scripts by default, so it is looked for in both places.
import { spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

const resolveFromBun = createRequire(createRequire(import.meta.url).resolve('bun/package.json'));

/** Folders that may hold the binary, best first. */
function folders() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const base = `@oven/bun-${platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}`;
  const names = existsSync('/etc/alpine-release') ? [`${base}-musl`, base] : [base, `${base}-musl`];
  return [...names, 'bun'].flatMap((name) => {
    try {
      return [join(dirname(resolveFromBun.resolve(`${name}/package.json`)), 'bin')];
    } catch {
      return []; // npm installs only the packages that fit the platform.
    }
  });
}

/** @returns {string} the path of the Bun executable */
export function bunPath() {
  for (const folder of folders()) {
    for (const name of ['bun', 'bun.exe']) {
      const path = join(folder, name);
      // Until its install script has run, `bun` holds a stub of some hundred bytes under the same name.
      if (existsSync(path) && statSync(path).size > 1_000_000) return path;
    }
  }
  throw new Error(
    `no Bun binary for ${process.platform} ${process.arch}: run "npm ci" again on this machine`,
  );
}

/**
 * Runs Bun with `args`; this process becomes it where Node can (`process.execve`), else waits for it.
 * @param {string[]} args
 */
export function runBun(args) {
  const bun = bunPath();
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    process.execve(bun, [bun, ...args], process.env);
  }
  // The pipe on descriptor 3 closes when this process dies, however it dies: the server then stops itself,
  // so that killing the launcher never leaves a server behind that nobody owns.
  const child = spawn(bun, args, {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    // With our process id, because grandchildren inherit the variable but not the pipe.
    env: { ...process.env, HVIDEO_LAUNCHER: String(process.pid) },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  // npm passes SIGTERM on to the shell it runs scripts in, and the shell dies without passing it on.
  if (process.env.npm_lifecycle_event) {
    const { ppid } = process;
    const watch = setInterval(() => {
      if (process.ppid === ppid) return;
      // Once: a second signal tells the server not to drain.
      clearInterval(watch);
      child.kill('SIGTERM');
    }, 500).unref();
  }
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  });
  child.on('exit', (code, signal) =>
    process.exit(signal ? 128 + (constants.signals[signal] ?? 0) : (code ?? 1)),
  );
}

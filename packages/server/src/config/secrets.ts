import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose';
import { z } from 'zod';
import { InvalidSettings } from './env.ts';

const Key = z.object({ kid: z.string().min(1), secret: z.string().min(40) });
const JwtKey = z.object({
  kid: z.string().min(1),
  privateKeyPem: z.string().startsWith('-----BEGIN PRIVATE KEY-----'),
});

/**
 * The keys, newest first: the first signs, all verify. Several nodes share one set; adding a key in front and dropping
 * the last one later rotates without ending a login.
 */
const Secrets = z.object({
  /** Ed25519, for access tokens. */
  jwt: z.array(JwtKey).min(1),
  /** HMAC-SHA-256 keys of 32 bytes, base64url. */
  refreshToken: z.array(Key).min(1),
  media: z.array(Key).min(1),
  cursor: z.array(Key).min(1),
});
export type Secrets = z.infer<typeof Secrets>;

const KEEP = 3;

/** Reads the keys from the setting, or from the data folder, where the first start makes them. */
export async function loadSecrets(options: {
  keysJson: string | undefined;
  dataDir: string;
}): Promise<Secrets> {
  if (options.keysJson !== undefined) return Secrets.parse(JSON.parse(options.keysJson));
  const path = keysPath(options.dataDir);
  if (existsSync(path)) return readKeys(path);
  const temporary = writeSecrets(options.dataDir, await newSecrets());
  try {
    // Unlike a rename it fails where there is a file: of several processes that share the folder, one makes the keys.
    linkSync(temporary, path);
  } catch (error) {
    // Where the file system knows no links, such as on some sticks, no two processes start for the first time at once.
    if (!existsSync(path)) renameSync(temporary, path);
    else if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
  return readKeys(path);
}

/** What is wrong with the text of the keys; never quotes them. */
export function problemOfKeys(text: string): string | undefined {
  try {
    const { error } = Secrets.safeParse(JSON.parse(text));
    return error && `lacks or misstates ${error.issues.map(({ path }) => path.join('.')).join(', ')}`;
  } catch {
    return 'is not JSON';
  }
}

/** New keys in the place of damaged ones would end every login: that is for the owner to decide. */
function readKeys(path: string): Secrets {
  const text = readFileSync(path, 'utf8');
  const problem = problemOfKeys(text);
  if (problem === undefined) return Secrets.parse(JSON.parse(text));
  throw new InvalidSettings([
    { name: path, problem: `${problem}: put the file back from a backup, or delete it to end every login` },
  ]);
}

export function keysPath(dataDir: string): string {
  return join(dataDir, 'keys', 'keys.json');
}

/** Puts a new key of each kind in front; tokens and links signed by the last two still hold. */
export async function rotateSecrets(dataDir: string): Promise<void> {
  const old = await loadSecrets({ keysJson: undefined, dataDir });
  const fresh = await newSecrets();
  const temporary = writeSecrets(dataDir, {
    jwt: [...fresh.jwt, ...old.jwt].slice(0, KEEP),
    refreshToken: [...fresh.refreshToken, ...old.refreshToken].slice(0, KEEP),
    media: [...fresh.media, ...old.media].slice(0, KEEP),
    cursor: [...fresh.cursor, ...old.cursor].slice(0, KEEP),
  });
  renameSync(temporary, keysPath(dataDir));
}

async function newSecrets(): Promise<Secrets> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  const { x } = await exportJWK(privateKey);
  const key = () => ({
    kid: randomBytes(6).toString('base64url'),
    secret: randomBytes(32).toString('base64url'),
  });
  return {
    jwt: [{ kid: (x ?? '').slice(0, 8), privateKeyPem: await exportPKCS8(privateKey) }],
    refreshToken: [key()],
    media: [key()],
    cursor: [key()],
  };
}

/** Into a file of its own, which then takes its place: a kill in the middle must not leave half a key file. */
function writeSecrets(dataDir: string, secrets: Secrets): string {
  const folder = join(dataDir, 'keys');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const temporary = `${keysPath(dataDir)}.${randomBytes(6).toString('hex')}`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, JSON.stringify(secrets, null, 2));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  return temporary;
}

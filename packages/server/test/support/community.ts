import { ApiUser, passwordOf } from './api.ts';
import { type RunningApplication, runApplication } from './application.ts';

/** The whole program in this process, with somebody who runs it, so that others can join. */
export async function runCommunity(env: Readonly<Record<string, string>> = {}): Promise<RunningApplication> {
  const application = await runApplication(env);
  await new ApiUser(application.url).join('first_of_all', '/instance/setup');
  return application;
}

let groups = 0;

/** New people of these names, which are numbered: those of one call have the same number. */
export async function newcomers<const Names extends readonly string[]>(
  url: string,
  ...names: Names
): Promise<{ -readonly [At in keyof Names]: ApiUser }> {
  groups += 1;
  const joined = await Promise.all(names.map((name) => new ApiUser(url).join(`${name}_${groups}`)));
  return joined as { -readonly [At in keyof Names]: ApiUser };
}

/** Leaves for good. */
export const depart = (user: ApiUser) =>
  user.call('DELETE', '/users/me', { body: { password: passwordOf(user.username) } });

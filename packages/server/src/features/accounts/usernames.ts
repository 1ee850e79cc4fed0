import { AppError } from '../../kernel/errors.ts';

/** Names that would speak for the community, or collide with its addresses. */
const reserved: ReadonlySet<string> = new Set(
  `about account accounts admin administrator admins all anonymous api app apps auth billing bot contact demo deleted
  download everyone explore faq favicon feed following help here home hvideo h_video info instance legal login logout
  mail me media moderation moderator moderators mods nobody notifications null official owner password press privacy
  profile register report reports robots root rules search security self settings setup signin signup staff static
  status support sysadmin system team terms undefined unknown upload uploads user users video videos webmaster www you`.split(
    /\s+/,
  ),
);

export function checkUsername(username: string): void {
  if (reserved.has(username)) {
    throw new AppError('username-taken', {
      detail: 'This username is reserved',
      fields: { username: 'is reserved' },
    });
  }
}

/** What a painter can be asked for. Every path must be absolute, its folder there. */
export type Order =
  | {
      readonly kind: 'clip';
      readonly key: string;
      readonly folder: string;
      readonly output: string;
      /** Somebody is waiting: not at the low priority at which everything else is painted. */
      readonly urgent: boolean;
    }
  | { readonly kind: 'avatars'; readonly usernames: readonly string[]; readonly folder: string };

/** Where the painter puts somebody's picture. */
export const avatarFile = (username: string) => `${username}.bmp`;

import { Link } from '@tanstack/react-router';

const mention = /(@[a-z0-9_]{2,30})/gi;

/** Names that somebody is called by lead to them. */
export function CommentText({ text }: { text: string }) {
  let at = 0;
  return text.split(mention).map((part) => {
    at += part.length;
    return part.startsWith('@') && part.length > 2 ? (
      <Link key={at} to="/$handle" params={{ handle: part }}>
        {part}
      </Link>
    ) : (
      part
    );
  });
}

import { MENTION } from '@hvideo/protocol';
import { Link } from '@tanstack/react-router';
import { Fragment } from 'react';

/** Names that somebody is called by lead to them. */
export function CommentText({ text }: { text: string }) {
  let told = 0;
  const parts = [...text.matchAll(MENTION)].map((found) => {
    const before = text.slice(told, found.index);
    told = found.index + found[0].length;
    return (
      <Fragment key={found.index}>
        {before}
        <Link to="/$handle" params={{ handle: found[0] }}>
          {found[0]}
        </Link>
      </Fragment>
    );
  });
  return (
    <>
      {parts}
      {text.slice(told)}
    </>
  );
}

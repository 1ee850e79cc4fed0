import { type ReactNode, useState } from 'react';

interface CoverImageProps {
  url: string | null;
  alt?: string;
  /** In its place while there is none, or when it cannot be fetched. */
  fallback: ReactNode;
}

/** The cover of a video. Without a network a browser would draw a torn page instead. */
export function CoverImage({ url, alt = '', fallback }: CoverImageProps) {
  const [brokenUrl, setBrokenUrl] = useState<string | null>(null);
  if (url === null || url === brokenUrl) return fallback;
  return <img src={url} alt={alt} loading="lazy" decoding="async" onError={() => setBrokenUrl(url)} />;
}

/** The build without subtitles, DRM and alternative audio ships no types of its own. */
declare module 'hls.js/light' {
  export { default } from 'hls.js';
}

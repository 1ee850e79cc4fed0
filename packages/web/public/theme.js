// Runs before the first paint, so that a chosen theme and language do not flash. Not a module: modules wait.
(() => {
  try {
    const theme = localStorage.getItem('hvideo.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    const chosen = localStorage.getItem('hvideo.locale') ?? navigator.language;
    document.documentElement.lang = chosen.startsWith('zh') ? 'zh-CN' : 'en';
  } catch {
    // Storage can be switched off; the system's theme is right then.
  }
})();

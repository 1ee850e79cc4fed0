/** localStorage where it may be used, else memory for as long as the page lives: some browsers forbid it outright. */
function open(): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  try {
    localStorage.setItem('hvideo.probe', '1');
    localStorage.removeItem('hvideo.probe');
    return localStorage;
  } catch {
    const values = new Map<string, string>();
    return {
      getItem: (key) => values.get(key) ?? null,
      setItem: (key, value) => {
        values.set(key, value);
      },
      removeItem: (key) => {
        values.delete(key);
      },
    };
  }
}

export const storage = open();

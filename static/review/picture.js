// Photos, fetched and decoded before they are needed.

async function decode(url) {
  try {
    const response = await fetch(url, { credentials: "same-origin" });
    return response.ok ? await createImageBitmap(await response.blob()) : null;
  } catch {
    return null;
  }
}

/**
 * Begin to load the photo of `what` (an object with `photo`, its address). `what.bitmap` gets it, null where that fails;
 * `what.settled` says that it is known, and `what.loading` is a promise of that.
 */
export function load(what) {
  what.bitmap = null;
  what.settled = false;
  what.loading = decode(what.photo).then((bitmap) => {
    what.bitmap = bitmap;
    what.settled = true;
  });
}

/** Free the memory of a photo as soon as it has come. */
export function free(what) {
  what.loading?.then(() => {
    what.bitmap?.close();
    what.bitmap = null;
  });
}

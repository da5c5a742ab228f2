// Runs before the first paint, so that the page never flashes in the wrong theme. Not a module for that reason.
(() => {
  let theme = null;
  try {
    theme = localStorage.getItem("sluice.theme");
  } catch {
    // Storage is switched off: the default stands.
  }
  document.documentElement.dataset.theme = ["dark", "light", "auto"].includes(theme) ? theme : "dark";
})();

// A button that copies the field it names, where the browser lets it.

import { toast } from "../toast.js";

for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(field.value);
      toast("Copied.");
    } catch {
      field.select();
      toast("Press Ctrl+C to copy.");
    }
  });
}

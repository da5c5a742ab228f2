// What every page does: relative times, the theme switch, menus that close, and failed htmx requests that say so.

import { keepLive } from "./live.js";
import { keepTimes } from "./time.js";
import { toast } from "./toast.js";

function keepTheme() {
  const root = document.documentElement;
  const light = () =>
    root.dataset.theme === "light" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: light)").matches);
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.addEventListener("click", () => {
      root.dataset.theme = light() ? "dark" : "light";
      try {
        localStorage.setItem("sluice.theme", root.dataset.theme);
      } catch {
        // Storage is switched off: the choice holds for this page.
      }
    });
  }
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (menu !== except) menu.open = false;
  }
}

function keepMenus() {
  document.addEventListener("pointerdown", (event) => closeMenus(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

function keepRequests() {
  document.addEventListener("htmx:sendError", () => toast("No connection. Nothing was changed.", "bad"));
  document.addEventListener("htmx:responseError", (event) => toast(problemIn(event.detail.xhr), "bad"));
}

function problemIn(xhr) {
  try {
    const problem = JSON.parse(xhr.responseText);
    return problem.detail || problem.title;
  } catch {
    return `That didn't work (${xhr.status}). Nothing was changed.`;
  }
}

keepTheme();
keepMenus();
keepRequests();
keepTimes();
keepLive();

import { byId } from "./dom.js";

const KEY = "zeo-proxy colours";

/**
 * The choice of colours, which the browser remembers. `changed` is called when other colours hold, by a choice or by the system.
 * @param {() => void} changed
 */
export function watchTheme(changed) {
  const select = byId("theme", HTMLSelectElement);
  const apply = () => {
    if (select.value === "system") document.documentElement.removeAttribute("data-theme");
    else document.documentElement.setAttribute("data-theme", select.value);
    changed();
  };
  select.value = remembered();
  select.addEventListener("change", () => {
    remember(select.value);
    apply();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  apply();
}

function remembered() {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

/** @param {string} value */
function remember(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // It holds until the page is left.
  }
}

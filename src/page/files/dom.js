// Elements, made without HTML in strings: what a client has said is only ever text here.

/** @typedef {Record<string, string | number | boolean | undefined>} Attributes */

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Attributes} [attributes] `undefined` and `false`: it has none of that name
 * @param {readonly (Node | string)[]} [children]
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, children = []) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    made.setAttribute(key, value === true ? "" : String(value));
  }
  made.append(...children);
  return made;
}

/**
 * The element of the page with that id.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {{ new (): T }} type
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`there is no ${id} in the page`);
  return found;
}

/**
 * Sets it only where it differs: what a screen reader is at is not disturbed.
 * @param {Node} node
 * @param {string} text
 */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Brings the list to these items: one with a known key stays the element that it was.
 * @template T
 * @param {HTMLElement} list
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 * @param {() => HTMLElement} make
 * @param {(element: HTMLElement, item: T) => void} fill
 */
export function keyed(list, items, keyOf, make, fill) {
  const known = new Map([...list.children].map((child) => [child.getAttribute("data-key"), child]));
  /** @type {Element | null} */
  let at = list.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    const found = known.get(key);
    known.delete(key);
    const child = found instanceof HTMLElement ? found : make();
    child.setAttribute("data-key", key);
    fill(child, item);
    if (child === at) at = at.nextElementSibling;
    else list.insertBefore(child, at);
  }
  for (const child of known.values()) child.remove();
}

/**
 * The facts as terms and values; a value that is undefined has no place.
 * @param {HTMLElement} list a `dl`
 * @param {Readonly<Record<string, string | Node | undefined>>} facts
 */
export function setFacts(list, facts) {
  const given = Object.entries(facts).filter(([, value]) => value !== undefined);
  keyed(
    list,
    given,
    ([name]) => name,
    () => element("div", {}, [element("dt"), element("dd")]),
    (child, [name, value]) => {
      const [term, said] = child.children;
      if (term === undefined || said === undefined) return;
      setText(term, name);
      if (typeof value === "string") setText(said, value);
      else if (value !== undefined && said.textContent !== value.textContent) said.replaceChildren(value);
    },
  );
}

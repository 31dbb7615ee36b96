// Lists that keep their elements while the data changes, and show a window of many entries.

import { button, format, h } from "./dom.js";

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex]";

/** Makes the children of a container those of the items. An element stays while its signature does. */
export function reconcile(container, items, { key, signature = () => "", create }) {
  const before = container.entries_ ?? new Map();
  const after = new Map();
  for (const item of items) after.set(key(item), { item, signature: signature(item) });
  for (const [name, entry] of before) {
    if (!after.has(name)) entry.node.remove();
  }
  let cursor = container.firstElementChild;
  for (const [name, entry] of after) {
    const old = before.get(name);
    if (old && old.signature === entry.signature) {
      entry.node = old.node;
    } else {
      entry.node = create(entry.item);
      if (old) {
        if (cursor === old.node) cursor = entry.node;
        swap(old.node, entry.node);
      }
    }
    if (entry.node === cursor) cursor = cursor.nextElementSibling;
    else container.insertBefore(entry.node, cursor);
  }
  container.entries_ = after;
}

/** Replaces an element. The focus stays at the same place in it. */
function swap(old, node) {
  const inside = [old, ...old.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
  old.replaceWith(node);
  if (inside >= 0) [node, ...node.querySelectorAll(FOCUSABLE)][inside]?.focus();
}

/** A list, newest first, of which one window is in the document. */
export class Window {
  /** `container` holds the entries, `what` is their plural. */
  constructor(container, size, what, entries) {
    Object.assign(this, { container, size, what, entries, first: null, items: [] });
    this.newest = button("Newest", () => this.move(0));
    this.newer = button("Newer", () => this.move(this.start - size));
    this.older = button("Older", () => this.move(this.start + size));
    this.place = h("span", { class: "soft" });
    this.controls = h("nav", { class: "pager", "aria-label": `Pages of ${what}` }, this.newest, this.newer, this.older, this.place);
  }

  /** Shows the items. The window stays at its first entry, unless it is at the newest one. */
  update(items) {
    this.items = items;
    const found = this.first === null ? 0 : items.findIndex((item) => this.entries.key(item) === this.first);
    this.start = Math.max(0, found);
    if (this.start === 0) this.first = null;
    const end = Math.min(items.length, this.start + this.size);
    reconcile(this.container, items.slice(this.start, end), this.entries);
    this.controls.hidden = items.length <= this.size;
    this.newest.disabled = this.newer.disabled = this.start === 0;
    this.older.disabled = end >= items.length;
    const place = items.length === 0 ? "" : `${format(this.start + 1)}–${format(end)} of ${format(items.length)}`;
    if (this.place.textContent !== place) this.place.textContent = place;
  }

  move(start) {
    const at = Math.max(0, start);
    this.first = at === 0 || !this.items[at] ? null : this.entries.key(this.items[at]);
    this.update(this.items);
    this.container.scrollIntoView({ block: "start" });
    // A disabled button cannot keep the focus.
    if (document.activeElement === document.body) (this.older.disabled ? this.newer : this.older).focus();
  }
}

/** Runs an action once, some time after the last of many reasons for it. */
export function debounced(action, ms = 300) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, ms);
  };
}

// Find as you type: tasks, strategies and claims; "/" begins, arrows choose, Enter goes there, Escape leaves.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;
  const MOST = 12;
  const box = document.getElementById("find");
  if (!box) return;
  const input = box.querySelector("input");
  const list = box.querySelector("[role=listbox]");
  let entries = null;
  let found = [];
  let at = -1;

  const plain = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();
  const entry = (kind, text, about, href) => ({ kind, text, about, href, plain: plain(`${text} ${about}`) });

  /** What can be found: the tasks and claims of the page, and the strategies of its payload once that is read. */
  const all = () => {
    const tasks = [...document.querySelectorAll(".answers th a")].map((link) => entry("task", link.textContent, link.dataset.id, link.getAttribute("href")));
    const strategies = (bakeoff.payload?.tasks ?? []).flatMap((task, index) =>
      task.strategies.map((own) => entry("strategy", own.label, task.id, tasks[index].href)),
    );
    const claims = [...document.querySelectorAll(".claim")].map((own) => entry("claim", own.querySelector(".sentence").textContent, own.dataset.verdict, `#${own.id}`));
    const blank = [...document.querySelectorAll(".unmeasured li")].map((own) => entry("claim", own.firstChild.textContent, "not measured", `#${own.id}`));
    return [...tasks, ...strategies, ...claims, ...blank];
  };

  /** The entries that have all words; those that begin with the first word come first. */
  const search = (text) => {
    const words = plain(text).split(" ").filter(Boolean);
    if (!words.length) return [];
    if (!entries?.length || (bakeoff.payload && !entries.whole)) {
      entries = all();
      entries.whole = Boolean(bakeoff.payload);
    }
    const fitting = entries.filter((own) => words.every((word) => own.plain.includes(word)));
    return fitting.toSorted((a, b) => b.plain.startsWith(words[0]) - a.plain.startsWith(words[0])).slice(0, MOST);
  };

  const mark = (place) => {
    at = place;
    [...list.children].forEach((option, index) => option.setAttribute("aria-selected", String(index === at)));
    list.children[at]?.scrollIntoView({ block: "nearest" });
    if (at < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", list.children[at].id);
  };

  const show = () => {
    found = search(input.value);
    const options = found.map((own, index) =>
      element(
        "div",
        { role: "option", id: `found-${index}`, "aria-selected": "false", click: () => go(index) },
        element("small", {}, own.kind),
        element("span", {}, own.text),
        element("small", {}, own.about),
      ),
    );
    const none = element("div", { role: "option", "aria-disabled": "true", "aria-selected": "false" }, "Nothing has all of these words.");
    list.replaceChildren(...(found.length || !input.value.trim() ? options : [none]));
    list.hidden = !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    mark(found.length ? 0 : -1);
  };

  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    mark(-1);
  };

  const go = (index) => {
    const { href } = found[index];
    input.value = "";
    close();
    if (href.startsWith("#")) bakeoff.go(href.slice(1));
    else location.href = href;
  };

  const KEYS = {
    ArrowDown: () => mark(Math.min(found.length - 1, at + 1)),
    ArrowUp: () => mark(Math.max(0, at - 1)),
    Enter: () => at >= 0 && go(at),
    Escape: () => {
      input.value = "";
      close();
      input.blur();
    },
  };

  input.addEventListener("input", show);
  input.addEventListener("focus", show);
  input.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.isComposing) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target)) close();
  });
})();

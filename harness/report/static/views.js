// Which view of the page is shown: the one with what the address names, else the overview.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const built = new Set();
  let makers = [];

  const all = () => [...document.querySelectorAll(".view")];
  const shown = () => document.querySelector(".view.shown");

  /** Build the tables and charts of a view once it is wanted and the payload is read. */
  const build = (view) => {
    if (!makers.length || built.has(view)) return;
    built.add(view);
    for (const make of makers) make(view);
  };

  /** Open what is closed around an element, and the table of a task. */
  const open = (target) => {
    for (let one = target.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    const table = target.matches(".task") && target.querySelector('[data-part="table"]');
    if (table) table.open = true;
  };

  const mark = (view) => {
    for (const link of document.querySelectorAll(".contents a")) {
      if (link.getAttribute("href") === `#${view.id}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  };

  /** Show the view of an element of this id. */
  const show = (id) => {
    const target = document.getElementById(id || "/");
    const view = target?.closest(".view");
    if (!view) return;
    for (const one of all()) one.classList.toggle("shown", one === view);
    mark(view);
    bakeoff.ledger?.reveal(target);
    open(target);
    build(view);
  };

  /** Have functions called with each view when it is first shown, now and later. */
  const start = (...wanted) => {
    makers = wanted;
    if (shown()) build(shown());
  };

  /** Show all views at once, as on paper; or only one again. */
  const showAll = (every) => {
    if (every) all().forEach(build);
    document.documentElement.classList.toggle("all-views", every);
  };

  show(bakeoff.hash.read().get("at"));

  bakeoff.views = { show, start, showAll };
})();

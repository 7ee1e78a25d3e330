// Starts the page: the first screen is drawn before the payload is read, then come tables and charts.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const root = document.documentElement;
  const THEMES = ["", "light", "dark"];
  const MOST_OPEN = 2;
  const TITLES = { "": "auto", light: "light", dark: "dark" };

  /** Read what an element holds: base64 of gzip. */
  const unpack = async (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  };

  /** Run the scripts that draw tables and charts, and read what they draw. */
  bakeoff.load = async () => {
    const [code, payload] = await Promise.all([unpack("scripts"), unpack("payload")]);
    document.head.append(bakeoff.element("script", {}, code));
    bakeoff.payload = JSON.parse(payload);
  };

  const drawn = () =>
    new Promise((done) => {
      requestAnimationFrame(() => setTimeout(done));
      setTimeout(done, 250);
    });

  const theme = () => {
    const button = document.getElementById("theme");
    const show = () => {
      const named = bakeoff.hash.read().get("theme") ?? "";
      const chosen = THEMES.includes(named) ? named : "";
      if (chosen) root.dataset.theme = chosen;
      else delete root.dataset.theme;
      button.textContent = `Theme: ${TITLES[chosen]}`;
    };
    button.addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "") + 1) % THEMES.length];
      bakeoff.hash.set({ theme: next });
      show();
      document.dispatchEvent(new CustomEvent("bakeoff:theme"));
    });
    window.addEventListener("hashchange", show);
    show();
  };

  const goTo = (id) => {
    bakeoff.views?.show(id);
    const target = id && document.getElementById(id);
    if (!target) return;
    if (!target.hasAttribute("tabindex")) target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
    if (target.matches(".view")) window.scrollTo(0, 0);
    else target.scrollIntoView();
  };

  const at = () => bakeoff.hash.read().get("at");

  /** Go to an element and keep the choices that the address holds; the way back leads to where the reader was. */
  bakeoff.go = (id) => {
    history.replaceState({ scrolled: window.scrollY }, "");
    bakeoff.hash.set({ at: id }, true);
    goTo(id);
  };

  const links = () => {
    history.scrollRestoration = "manual";
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.('a[href^="#"]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const id = link.getAttribute("href").slice(1);
      // The content is that of any view, so the address keeps the view's name.
      if (link.matches(".skip")) goTo(id);
      else bakeoff.go(id);
    });
    window.addEventListener("popstate", (event) => {
      goTo(at());
      if (event.state) window.scrollTo(0, event.state.scrolled);
    });
  };

  /** Paper has each explanation once in a view, where it comes first. */
  const sayOnce = () => {
    for (const view of document.querySelectorAll(".view")) {
      const said = new Set();
      for (const reading of view.querySelectorAll(".reading")) {
        reading.classList.toggle("said", said.has(reading.textContent));
        said.add(reading.textContent);
      }
    }
  };

  /** Paper cannot be opened: all details but the figures' data are printed, and closed again afterwards. */
  const printing = () => {
    let opened = [];
    const open = () => {
      bakeoff.views?.showAll(true);
      bakeoff.figures?.drawAll?.();
      const closed = [...document.querySelectorAll("details:not([open], .data)")];
      for (const one of closed) one.open = true;
      opened = opened.concat(closed);
      sayOnce();
    };
    const close = () => {
      for (const one of opened) one.open = false;
      opened = [];
      bakeoff.views?.showAll(false);
    };
    window.addEventListener("beforeprint", open);
    window.addEventListener("afterprint", close);
    window.matchMedia("print").addEventListener("change", (event) => (event.matches ? open() : close()));
  };

  /** Show the tables that need no scripts, and say so. */
  const fail = (error) => {
    root.classList.remove("js");
    const said = `Interactive tables and charts did not start (${error.message}); the tables below hold the figures.`;
    document.getElementById("main").prepend(bakeoff.element("p", { class: "remarks", role: "alert" }, said));
    console.error(error);
  };

  /** Build the tables of a view; those of many tasks are closed at first, so that the answers are near each other. */
  const tables = (view) => {
    const boxes = view.querySelectorAll(".interactive");
    for (const box of boxes) {
      bakeoff.table(box, Number(box.dataset.task));
      if (boxes.length > MOST_OPEN && box.closest(".task").id !== at()) box.closest("details").open = false;
    }
  };

  const start = async () => {
    theme();
    links();
    printing();
    goTo(at());
    if (!document.getElementById("payload")) return;
    await drawn();
    await bakeoff.load();
    bakeoff.state.load();
    window.addEventListener("hashchange", () => bakeoff.state.load());
    bakeoff.views.start(tables, bakeoff.figures.add);
    root.dataset.ready = "yes";
    goTo(at());
  };

  start().catch(fail);
})();

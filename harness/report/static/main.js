// Starts the page: the first screen is drawn before the payload is read, then come tables and charts.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const root = document.documentElement;
  const THEMES = ["", "light", "dark"];
  const TITLES = { "": "auto", light: "light", dark: "dark" };

  /** Read the payload: base64 of gzip of JSON. */
  bakeoff.load = async () => {
    const packed = atob(document.getElementById("payload").textContent.trim());
    const bytes = new Uint8Array(packed.length);
    for (let at = 0; at < packed.length; at += 1) bytes[at] = packed.charCodeAt(at);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
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
    const target = id && document.getElementById(id);
    if (!target) return;
    if (!target.hasAttribute("tabindex")) target.setAttribute("tabindex", "-1");
    target.focus({ preventScroll: true });
    target.scrollIntoView();
  };

  /** Links inside of the page keep the choices that the address holds. */
  const links = () => {
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.('a[href^="#"]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const id = link.getAttribute("href").slice(1);
      bakeoff.hash.set({ at: id }, true);
      goTo(id);
    });
    window.addEventListener("hashchange", () => goTo(bakeoff.hash.read().get("at")));
  };

  /** Paper cannot be opened: all details but the figures' data are printed, and closed again afterwards. */
  const printing = () => {
    let opened = [];
    const open = () => {
      bakeoff.figures?.drawAll?.();
      const closed = [...document.querySelectorAll("details:not([open], .data)")];
      for (const one of closed) one.open = true;
      opened = opened.concat(closed);
    };
    const close = () => {
      for (const one of opened) one.open = false;
      opened = [];
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

  const start = async () => {
    theme();
    links();
    printing();
    goTo(bakeoff.hash.read().get("at"));
    if (!document.getElementById("payload")) return;
    await drawn();
    bakeoff.payload = await bakeoff.load();
    bakeoff.state.load();
    window.addEventListener("hashchange", () => bakeoff.state.load());
    for (const box of document.querySelectorAll(".interactive")) bakeoff.table(box, Number(box.dataset.task));
    bakeoff.figures?.start?.();
    root.dataset.ready = "yes";
    goTo(bakeoff.hash.read().get("at"));
  };

  start().catch(fail);
})();

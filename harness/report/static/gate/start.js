// Starts the page of a gate: the report's start has set the theme, and left the rest to this one.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const root = document.documentElement;

  /** Read the pairs: base64 of gzip of JSON. */
  const load = async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("pairs").textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  };

  /** A link to a case opens its card. */
  const open = (id) => {
    if (!id) return;
    const target = bakeoff.cards.whole(id);
    if (target?.matches("details")) target.open = true;
  };

  /** The rows of the table that the page has as text for readers without scripts. */
  const further = () => {
    const held = document.getElementById("further-cases");
    return held ? new DOMParser().parseFromString(held.textContent, "text/html").querySelectorAll("tbody tr") : [];
  };

  /** Let the table of cases be sorted and shown as a whole; returns what shows it. */
  const table = () => {
    const found = document.querySelector("table.sortable");
    if (!found) return () => {};
    const show = bakeoff.sortable(found, further);
    const button = document.getElementById("all-cases");
    const all = () => {
      show();
      button?.parentElement.remove();
    };
    button?.addEventListener("click", all);
    return all;
  };

  const fail = (error) => {
    root.classList.remove("js");
    bakeoff.figures?.drawAll();
    const said = `The pairs could not be plotted (${error.message}); the tables hold what was found.`;
    document.getElementById("main").prepend(bakeoff.element("p", { class: "remarks", role: "alert" }, said));
    console.error(error);
  };

  const start = async () => {
    const showAll = table();
    const opened = ({ target }) => target.matches(".case[open]") && bakeoff.cards.whole(target.id);
    document.addEventListener("toggle", opened, true);
    // What the report's start asks for before the page is printed.
    const drawAll = () => {
      showAll();
      bakeoff.cards.unpack();
      bakeoff.cards.drawAll();
    };
    bakeoff.figures = { drawAll };
    // Before the report's own listener scrolls there.
    document.addEventListener("click", (event) => open(event.target.closest?.('a[href^="#case-"]')?.getAttribute("href").slice(1)), true);
    window.addEventListener("hashchange", () => open(bakeoff.hash.read().get("at")));
    open(bakeoff.hash.read().get("at"));
    bakeoff.cards.start(await load());
    root.dataset.ready = "yes";
  };

  start().catch(fail);
})();

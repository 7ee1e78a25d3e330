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
    const target = id ? document.getElementById(id) : null;
    if (target?.matches("details")) target.open = true;
  };

  const fail = (error) => {
    root.classList.remove("js");
    const said = `The pairs could not be plotted (${error.message}); the tables hold what was found.`;
    document.getElementById("main").prepend(bakeoff.element("p", { class: "remarks", role: "alert" }, said));
    console.error(error);
  };

  const start = async () => {
    for (const table of document.querySelectorAll("table.sortable")) bakeoff.sortable(table);
    // Before the report's own listener scrolls there.
    document.addEventListener("click", (event) => open(event.target.closest?.('a[href^="#case-"]')?.getAttribute("href").slice(1)), true);
    window.addEventListener("hashchange", () => open(bakeoff.hash.read().get("at")));
    open(bakeoff.hash.read().get("at"));
    bakeoff.cards.start(await load());
    root.dataset.ready = "yes";
  };

  start().catch(fail);
})();

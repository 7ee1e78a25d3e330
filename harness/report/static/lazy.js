// Draws what is stale and near the window, as much as a frame has time for.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const NEAR = "400px";
  const BUDGET = 24;

  /**
   * Draw items that each have a `box`, and `stale` and `near` to tell whether they are to be drawn, once they are watched.
   * `resized` is told of an item whose box changed its size; it says by `stale` whether that matters.
   */
  bakeoff.lazy = (items, draw, resized) => {
    let asked = 0;

    const work = () => {
      const until = performance.now() + BUDGET;
      for (const item of items.filter((own) => own.stale && own.near)) {
        if (performance.now() > until) return refresh();
        draw(item);
      }
    };

    /** Have it drawn in the next frame, once however often it is asked for. */
    const refresh = () => {
      cancelAnimationFrame(asked);
      asked = requestAnimationFrame(work);
    };

    const named = new Map();
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) named.get(entry.target).near = entry.isIntersecting;
        refresh();
      },
      { rootMargin: NEAR },
    );
    const sized = new ResizeObserver((entries) => {
      for (const { target } of entries) resized(named.get(target));
      refresh();
    });

    const watch = (some = items) => {
      for (const item of some) {
        named.set(item.box, item);
        seen.observe(item.box);
        sized.observe(item.box);
      }
    };

    return { refresh, watch };
  };
})();

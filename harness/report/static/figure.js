// Figures of all tasks: when each is drawn, and drawn again. What is drawn is up to charts/, around it to charts/frame.js.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ORDER = ["pareto", "forest", "blocks", "scaling", "scenarios", "curves", "history"];
  const NEAR = "400px";
  const figures = [];

  const chartOf = (figure) => bakeoff.charts[figure.chart];

  const draw = (figure) => {
    figure.stale = false;
    figure.width = Math.floor(figure.box.clientWidth);
    const view = bakeoff.view(figure, figure.width);
    try {
      bakeoff.frame.fill(figure, view, chartOf(figure).draw(view));
    } catch (error) {
      console.error(error);
      bakeoff.frame.fail(figure, view, error);
    }
  };

  let asked = 0;

  /** Draw what is stale and near the window, once a frame however often it is asked for. */
  const refresh = () => {
    cancelAnimationFrame(asked);
    asked = requestAnimationFrame(() => figures.filter((figure) => figure.stale && figure.near).forEach(draw));
  };

  const spoil = (wanted) => {
    for (const figure of figures) figure.stale ||= wanted(figure);
    refresh();
  };

  /** Make a change of the reader's in a figure, and draw it again. */
  const act = (figure) => (change) => {
    change();
    draw(figure);
  };

  const add = (box, index) => {
    const task = bakeoff.payload.tasks[index];
    for (const chart of ORDER.filter((name) => bakeoff.charts?.[name]?.has(task, index))) {
      const figure = { index, chart, title: bakeoff.charts[chart].title, stale: true, near: false, width: 0 };
      box.append(bakeoff.frame.build(figure, act(figure)));
      figures.push(figure);
    }
  };

  const watch = () => {
    const named = new Map(figures.map((figure) => [figure.box, figure]));
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) named.get(entry.target).near = entry.isIntersecting;
        refresh();
      },
      { rootMargin: NEAR },
    );
    const sized = new ResizeObserver((entries) => {
      const changed = new Set(entries.map((entry) => named.get(entry.target)));
      spoil((figure) => changed.has(figure) && figure.width > 0 && Math.floor(figure.box.clientWidth) !== figure.width);
    });
    for (const figure of figures) {
      seen.observe(figure.box);
      sized.observe(figure.box);
    }
  };

  const drawAll = () => figures.filter((figure) => figure.stale).forEach(draw);

  const start = () => {
    for (const box of document.querySelectorAll(".figures")) add(box, Number(box.dataset.task));
    watch();
    document.addEventListener("bakeoff:change", (event) => spoil((figure) => figure.index === event.detail.task));
    window.addEventListener("hashchange", () => spoil(() => true));
    window.addEventListener("beforeprint", drawAll);
    window.matchMedia("print").addEventListener("change", (event) => event.matches && drawAll());
  };

  bakeoff.figures = { start, drawAll };
})();

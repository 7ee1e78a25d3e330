// Figures of all tasks: when each is drawn, and drawn again. What is drawn is up to charts/, around it to charts/frame.js.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ORDER = ["pareto", "forest", "blocks", "scaling", "tuning", "scenarios", "curves", "history"];
  const PAPER = 720;
  const figures = [];

  const chartOf = (figure) => bakeoff.charts[figure.chart];

  const widthOf = (figure) => Math.floor(figure.box.clientWidth);

  const draw = (figure, width = widthOf(figure)) => {
    Object.assign(figure, { stale: false, width });
    const view = bakeoff.view(figure, width);
    try {
      bakeoff.frame.fill(figure, view, chartOf(figure).draw(view));
    } catch (error) {
      console.error(error);
      bakeoff.frame.fail(figure, view, error);
    }
  };

  let printing = false;

  const { refresh, watch } = bakeoff.lazy(figures, (figure) => draw(figure), (figure) => {
    if (!printing && figure.width > 0 && widthOf(figure) !== figure.width) figure.stale = true;
  });

  const spoil = (wanted) => {
    for (const figure of figures) figure.stale ||= wanted(figure);
    refresh();
  };

  /** Make a change of the reader's in a figure, and draw it again. */
  const act = (figure) => (change) => {
    change();
    draw(figure);
  };

  /** Add the charts of a box: the one that it names, else all that have no box of their own. */
  const add = (box, index) => {
    const task = bakeoff.payload.tasks[index];
    for (const chart of (box.dataset.chart ? [box.dataset.chart] : ORDER).filter((name) => bakeoff.charts?.[name]?.has(task, index))) {
      const figure = { index, chart, title: bakeoff.charts[chart].title, stale: true, near: false, width: 0 };
      box.append(bakeoff.frame.build(figure, act(figure)));
      figures.push(figure);
    }
  };

  /** Draw some figures; all are measured first, because a figure that is put into the page has it laid out anew. */
  const drawThese = (some, most = Infinity) => {
    const widths = some.map((figure) => Math.min(most, widthOf(figure)));
    some.forEach((figure, at) => draw(figure, widths[at]));
  };

  const drawAll = () => drawThese(figures.filter((figure) => figure.stale));

  /** Text keeps its size on paper when figures are no wider than paper is. */
  const print = () => {
    if (printing) return;
    printing = true;
    drawThese(figures.filter((figure) => figure.stale || figure.width > PAPER), PAPER);
  };

  const afterPrint = () => {
    printing = false;
    spoil((figure) => figure.width === PAPER);
  };

  const start = () => {
    for (const box of document.querySelectorAll(".figures")) add(box, Number(box.dataset.task));
    watch();
    document.addEventListener("bakeoff:change", (event) => spoil((figure) => figure.index === event.detail.task));
    window.addEventListener("hashchange", () => spoil(() => true));
    window.addEventListener("beforeprint", print);
    window.addEventListener("afterprint", afterPrint);
    window.matchMedia("print").addEventListener("change", (event) => (event.matches ? print() : afterPrint()));
  };

  bakeoff.figures = { start, drawAll };
})();

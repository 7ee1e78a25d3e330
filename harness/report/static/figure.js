// Figures of all tasks: when each is drawn, and drawn again. What is drawn is up to charts/, around it to charts/frame.js.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;
  const LEADS = ["pareto", "forest"];
  const ORDER = ["pareto", "forest", "scaling", "scenarios", "tuning", "curves", "blocks", "history"];
  const PAPER = 720;
  const figures = [];

  const chartOf = (figure) => bakeoff.charts[figure.chart];

  /** A figure within closed details has no width, though the browser gives it that of their summary. */
  const widthOf = (figure) => (figure.box.closest("details:not([open])") ? 0 : Math.floor(figure.box.clientWidth));

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

  /** What has no width is out of sight by now; it is drawn when it is seen again. */
  const drawSeen = (figure) => widthOf(figure) > 0 && draw(figure);

  const { refresh, watch } = bakeoff.lazy(figures, drawSeen, (figure) => {
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

  const build = (index, chart) => {
    const figure = { index, chart, title: bakeoff.charts[chart].title, stale: true, near: false, width: 0 };
    const box = bakeoff.frame.build(figure, act(figure));
    figures.push(figure);
    watch([figure]);
    return box;
  };

  const part = (title, box) => element("details", { class: "part" }, element("summary", {}, title), box);

  /** Add the charts of a box: the one that it names, the one that leads its task, or the others, each closed. */
  const fill = (box) => {
    const index = Number(box.dataset.task);
    const task = bakeoff.payload.tasks[index];
    const has = (chart) => bakeoff.charts[chart].has(task, index);
    const lead = LEADS.find(has);
    if (box.dataset.chart) box.append(build(index, box.dataset.chart));
    else if (box.matches(".lead")) box.append(...(lead ? [build(index, lead)] : []));
    else for (const chart of ORDER.filter((own) => own !== lead && has(own))) box.append(part(bakeoff.charts[chart].title, build(index, chart)));
  };

  /** Add the charts of a view. */
  const add = (view) => view.querySelectorAll(".figures").forEach(fill);

  /**
   * Draw some figures; all are measured first, because a figure that is put into the page has it laid out anew. What is
   * closed has no width yet.
   */
  const drawThese = (some, most = Infinity) => {
    const widths = some.map((figure) => Math.min(most, widthOf(figure) || PAPER));
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

  document.addEventListener("bakeoff:change", (event) => spoil((figure) => figure.index === event.detail.task));
  window.addEventListener("hashchange", () => spoil(() => true));
  // After the page's own listeners, which show all views.
  window.addEventListener("beforeprint", print);
  window.addEventListener("afterprint", afterPrint);
  window.matchMedia("print").addEventListener("change", (event) => (event.matches ? print() : afterPrint()));

  bakeoff.figures = { add, drawAll };
})();

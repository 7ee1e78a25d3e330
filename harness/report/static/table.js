// The table of a task: drawn from its model, sorted from its headers, opened from its rows.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element, format } = bakeoff;

  /** Rows from which on the table scrolls by itself, so that its header stays in sight. */
  const MANY = 25;
  const BETTER = { lower: "lower is better", higher: "higher is better" };

  /** Sort by a column, best first; again to turn round. */
  const sortBy = (index, key, measure) => {
    const { sort, direction } = bakeoff.state.get(index);
    const first = measure?.better === "higher" || key === "trials" ? "descending" : "ascending";
    const other = direction === "ascending" ? "descending" : "ascending";
    bakeoff.state.set(index, { sort: key, direction: sort === key ? other : first });
  };

  /** A name that may break after its underscores. */
  const breakable = (text) => text.split(/(?<=_)/).flatMap((part, at) => (at ? [element("wbr"), part] : [part]));

  const header = (index, state, key, title, small, measure) =>
    element(
      "th",
      { scope: "col", "data-key": key, "aria-sort": state.sort === key ? state.direction : "none" },
      element(
        "button",
        { type: "button", title: measure?.summary || null, click: () => sortBy(index, key, measure) },
        breakable(title),
      ),
      small ? element("small", {}, small) : null,
    );

  const head = (index, { task, state, measures }) => {
    const ranked = bakeoff.measure(task, state.rank);
    return element(
      "tr",
      {},
      header(index, state, "strategy", "Strategy"),
      ranked ? header(index, state, "rank", "Rank", `by ${ranked.title}`) : null,
      measures.map((measure) => header(index, state, measure.name, measure.title, BETTER[measure.better], measure)),
      header(index, state, "trials", "Trials"),
    );
  };

  const mark = (verdict) =>
    format.MARKS[verdict]
      ? element("i", { role: "img", "aria-label": verdict, class: "mark" }, format.MARKS[verdict])
      : null;

  const medians = ({ low, high }, unit) =>
    low === high ? format.figure(low, unit) : `${format.figure(low, unit)} to ${format.figure(high, unit)}`;

  const most = (row) => Math.max(0, ...row.cells.map((cell) => cell.blocks));

  /** What a figure covers, where that is less than the rest of its row or of the cells shown. */
  const cover = (cell, blocks, cells) => [
    cell.blocks && cell.blocks < blocks ? `${cell.blocks} blocks` : "",
    cell.cells && cell.cells < cells ? `${cell.cells} of ${cells} cells` : "",
  ];

  /** Texts of a cell: the figure, and what stands below it. */
  const texts = (cell, measure, view, blocks, cells) => {
    const own = cell.rate ? format.rate(cell.rate) : medians(cell.medians, measure.unit);
    if (cell.verdict === "reference") return [own, cell.medians.low === null || view === "median" ? "" : "reference"];
    if (view === "median") return [own, ""];
    const below = [format.interval(cell, measure.cost), ...cover(cell, blocks, cells)];
    return [format.effect(cell, measure.cost), below.filter(Boolean).join(" ")];
  };

  /** Where training diverged: at which step in one cell, and in how many of several. */
  const diverged = ({ diverged: said }) => {
    if (!said.length) return null;
    return element("small", {}, said.length === 1 ? said[0] : `diverged in ${said.length} cells`);
  };

  /** How many trials there are, with the blocks that they share with the reference where these are fewer. */
  const trials = (row, blocks) => {
    const finished = Object.keys(row.counts).every((status) => status === "ok");
    const [shared, all] = [most(row), Math.max(0, ...blocks)];
    return element(
      "td",
      { class: finished ? null : "partly" },
      finished ? String(row.counts.ok ?? 0) : format.statuses(row.counts),
      shared && shared < all ? element("small", {}, `${shared} of ${all} blocks`) : null,
      diverged(row),
    );
  };

  const figure = (cell, measure, ...about) => {
    const [text, below] = texts(cell, measure, ...about);
    const coloured = cell.verdict === "better" || cell.verdict === "worse" ? cell.verdict : null;
    return element("td", { class: coloured }, text, mark(cell.verdict), below ? element("small", {}, below) : null);
  };

  const rankCell = ({ rank, wanted, missing, imputed }) => {
    if (rank === null) return element("td", {}, format.NONE);
    const some = imputed ? `baseline's value used for ${imputed}` : "ranked last";
    const told = `${missing} of ${wanted} missing, ${imputed === missing ? "baseline's value used" : some}`;
    return element("td", { class: "rank" }, format.rank(rank), missing ? element("small", {}, told) : null);
  };

  const reasons = (row) => [...new Set(row.troubles.map(([, reason]) => reason).filter(Boolean))].join("; ");

  const body = (row, { state, cells, measures, blocks }) => {
    if (row.cells.every((cell) => cell.medians.low === null)) {
      const why = [format.statuses(row.counts), reasons(row)].filter(Boolean).join(": ");
      return [element("td", { class: "none", colspan: measures.length + 1 }, why || "not measured")];
    }
    const shared = most(row);
    const wanted = blocks.map((all) => Math.min(all, shared));
    return [
      ...row.cells.map((cell, at) => figure(cell, measures[at], state.view, wanted[at], cells.length)),
      trials(row, blocks),
    ];
  };

  const toggle = (view, row, button, line) => {
    const open = view.open.has(row.strategy);
    if (open) {
      view.open.delete(row.strategy);
      line.nextElementSibling.remove();
    } else {
      view.open.add(row.strategy);
      line.after(detail(view, row));
    }
    button.setAttribute("aria-expanded", String(!open));
  };

  const detail = (view, row) =>
    element(
      "tr",
      { class: "detail" },
      element("td", { colspan: view.columns }, bakeoff.details(view.model.task, view.model.cells, row.strategy)),
    );

  const line = (view, row) => {
    const open = view.open.has(row.strategy);
    const button = element("button", { type: "button", class: "row", "aria-expanded": String(open) }, row.label);
    const made = element(
      "tr",
      { class: row.strategy === view.model.state.reference ? "reference" : null },
      element("th", { scope: "row" }, button),
      view.model.state.rank ? rankCell(row.rank) : null,
      body(row, view.model),
    );
    button.addEventListener("click", () => toggle(view, row, button, made));
    return open ? [made, detail(view, row)] : [made];
  };

  /** Which cells are shown. */
  const where = ({ state, cells }) => {
    if (cells.length === 1) return format.cell(cells[0]);
    const { ALL } = bakeoff.state;
    const told = ([name, own]) => [name, own === ALL ? "all" : own];
    const params = Object.fromEntries(Object.entries(state.params).map(told));
    const dataset = state.dataset === ALL ? "all data" : state.dataset;
    const scenario = state.scenario === ALL ? "all scenarios" : state.scenario;
    return `${format.cell({ dataset, scenario, params })}, ${cells.length} cells`;
  };

  /** How many blocks the figures come from; metrics count blocks on the same data once. */
  const over = (blocks) => {
    if (!blocks.length) return "";
    const [least, all] = [Math.min(...blocks), Math.max(...blocks)];
    if (all === 1) return " over 1 block, too few for intervals";
    return ` over ${least < all ? `${least} to ` : ""}${all} blocks, with 95 % intervals`;
  };

  const caption = (model) => {
    const { task, state, cells, blocks, rows } = model;
    const against = task.strategies[state.reference].label;
    const own = rows.find((row) => row.strategy === state.reference);
    if (!own?.cells.some((cell) => cell.medians.low !== null)) {
      return `${where(model)}. ${against} has no results here, so nothing is compared; choose another reference.`;
    }
    const counted = over(blocks.filter(Boolean));
    const pooled = cells.length > 1 ? "averaged over cells and paired by block" : "paired by block";
    const spread = cells.length > 1 ? "Smallest and largest median of the cells" : "Medians";
    return state.view === "median"
      ? `${where(model)}. ${spread}; marks compare with ${against}.`
      : `${where(model)}. Ratios and differences to ${against}, ${pooled}${counted}.`;
  };

  const nothing = (index) => [
    element("p", {}, "Nothing was run with this selection."),
    element(
      "button",
      { type: "button", click: () => bakeoff.state.set(index, bakeoff.state.nearest(index)) },
      "Show the nearest that was run",
    ),
  ];

  const draw = (view) => {
    view.controls.update();
    view.model = bakeoff.model(view.index);
    const { state, measures, rows } = view.model;
    view.region.hidden = !rows.length;
    view.empty.hidden = rows.length > 0;
    if (!rows.length) return;
    view.columns = measures.length + (state.rank ? 3 : 2);
    const signature = JSON.stringify([measures.map((measure) => measure.name), state.rank]);
    if (view.signature !== signature) view.head.replaceChildren(head(view.index, view.model));
    view.signature = signature;
    for (const cell of view.head.querySelectorAll("th")) {
      cell.setAttribute("aria-sort", cell.dataset.key === state.sort ? state.direction : "none");
    }
    view.caption.replaceChildren(element("span", {}, caption(view.model)));
    view.region.classList.toggle("tall", rows.length > MANY);
    view.body.replaceChildren(...rows.flatMap((row) => line(view, row)));
  };

  const save = (view) => {
    const { task, cells, rows } = view.model;
    if (!rows.length) return;
    const where = cells.length === 1 ? [cells[0].dataset, cells[0].scenario, format.params(cells[0].params)] : [];
    const name = `${bakeoff.fileName(task.id, ...where)}.csv`;
    bakeoff.download(name, bakeoff.csv(bakeoff.rowsOf(view.model)), "text/csv");
  };

  /** Build the table of a task inside of an element. */
  bakeoff.table = (box, index) => {
    const caption = element("caption", { "aria-live": "polite" });
    const view = { index, open: new Set(), head: element("thead"), body: element("tbody"), caption };
    const { id } = bakeoff.payload.tasks[index];
    view.controls = bakeoff.controls(index, () => save(view));
    view.region = element(
      "div",
      { class: "wide", tabindex: "0", role: "region", "aria-label": `Table of ${id}` },
      element("table", { class: "figures-table" }, view.caption, view.head, view.body),
    );
    view.empty = element("div", { class: "empty", role: "status" }, nothing(index));
    box.replaceChildren(view.controls.box, view.region, view.empty);
    document.addEventListener("bakeoff:change", (event) => event.detail.task === index && draw(view));
    draw(view);
  };
})();

// The frame of a figure: its title, choices, chart, legend, how to read it, and the data behind it.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;

  /** Build an empty frame. `act` makes a change of the reader's and redraws. */
  const build = (figure, act) => {
    const id = `figure-${figure.index}-${figure.chart}`;
    const parts = {
      title: element("h4", { id }, figure.title),
      place: element("p", { class: "place" }),
      controls: element("div", { class: "controls", role: "group", "aria-label": `What ${figure.title} shows`, hidden: true }),
      canvas: element("div", { class: "canvas" }),
      caption: element("p", { class: "seen" }),
      notes: element("div", { class: "notes" }),
      legend: element("div", { class: "legend", role: "group", "aria-label": `Legend: ${figure.title}` }),
      reading: element("details", { class: "reading" }, element("summary", {}, "How to read this")),
      data: element("details", { class: "data", toggle: () => fillData(figure) }, element("summary", {}, "Data behind this figure")),
      save: element("div", { class: "save", role: "group", "aria-label": `Save ${figure.title}` }),
    };
    parts.save.append(...Object.entries(bakeoff.save).map(([kind, save]) => element("button", { type: "button", "data-kind": kind, click: () => save(figure) }, kind)));
    parts.below = element("div", { class: "below", hidden: true }, parts.reading, parts.data, parts.save);
    figure.parts = parts;
    figure.act = act;
    figure.box = element(
      "figure",
      { class: "figure waiting", "aria-labelledby": id, "data-chart": figure.chart },
      element("figcaption", {}, parts.title, parts.place),
      parts.controls,
      parts.canvas,
      parts.caption,
      parts.notes,
      parts.legend,
      parts.below,
    );
    return figure.box;
  };

  const control = (figure, own) => {
    const made = element("select", { "data-name": own.name });
    made.append(...own.options.map(([value, text]) => element("option", { value }, text)));
    made.addEventListener("change", () => {
      const value = own.options[made.selectedIndex][0];
      figure.act(() => bakeoff.choices.choose(figure, own.name, value === own.fallback ? null : value));
    });
    return element("label", {}, element("span", {}, own.label), made);
  };

  /** Show the choices; their elements stay while they offer the same, so that the focus stays where it is. */
  const fillControls = (figure, controls) => {
    const box = figure.parts.controls;
    const offered = JSON.stringify(controls.map(({ name, label, options, fallback }) => [name, label, options, fallback]));
    if (figure.offered !== offered) {
      const name = box.contains(document.activeElement) ? document.activeElement.dataset.name : null;
      box.replaceChildren(...controls.map((own) => control(figure, own)));
      figure.offered = offered;
      if (name) [...box.querySelectorAll("select")].find((own) => own.dataset.name === name)?.focus();
    }
    [...box.querySelectorAll("select")].forEach((select, at) => {
      select.selectedIndex = controls[at].options.findIndex(([value]) => value === controls[at].value);
    });
    box.hidden = !controls.length;
  };

  const fillData = (figure) => {
    const { data } = figure.parts;
    const tables = figure.drawing?.tables ?? [];
    if (!data.open || figure.listed === figure.drawing) return;
    figure.listed = figure.drawing;
    data.replaceChildren(data.firstChild, ...tables.map((table) => bakeoff.datatable.build(figure.title, table)));
  };

  const paragraphs = (texts) => (texts ?? []).filter(Boolean).map((text) => element("p", {}, text));

  const placeOf = ({ cells, task }, drawing) => {
    if (drawing.where) return drawing.where;
    const own = drawing.place ?? (cells.length === 1 ? cells[0] : null);
    const several = new Set(task.cells.map((cell) => cell.machine)).size > 1;
    const machine = several && cells.length ? `, ${bakeoff.payload.machines[cells[0].machine].name}` : "";
    return own ? `${bakeoff.format.cell(own)}${machine}` : `mean over ${cells.length} cells${machine}`;
  };

  const fillChart = (figure, drawing) => {
    const { canvas } = figure.parts;
    if (drawing.empty) {
      canvas.replaceChildren(element("p", { class: "empty" }, drawing.empty));
      return;
    }
    drawing.node.setAttribute("role", "img");
    drawing.node.setAttribute("aria-label", `${figure.title}. ${drawing.summary} The data behind this figure are in a table below it.`);
    canvas.replaceChildren(drawing.node);
  };

  /** Show what a chart has drawn. */
  const fill = (figure, view, drawing) => {
    const { parts } = figure;
    const { canvas, notes, legend, reading, data, below } = parts;
    Object.assign(figure, { view, drawing, node: drawing.node ?? null, place: drawing.empty ? "" : placeOf(view, drawing) });
    parts.title.textContent = drawing.title ?? figure.title;
    parts.caption.textContent = drawing.empty ? "" : (drawing.caption ?? drawing.summary);
    parts.place.textContent = [drawing.heading, figure.place].filter(Boolean).join(": ");
    fillControls(figure, view.controls);
    fillChart(figure, drawing);
    notes.replaceChildren(...paragraphs(drawing.notes));
    bakeoff.legend(legend, figure, drawing, figure.act);
    reading.replaceChildren(reading.firstChild, ...paragraphs(drawing.reading));
    below.hidden = Boolean(drawing.empty);
    if (data.open) fillData(figure);
    else data.replaceChildren(data.firstChild);
    figure.listed = data.open ? drawing : null;
    figure.box.classList.remove("waiting");
    canvas.style.minHeight = "";
  };

  /** Empty a frame but for its title and choices, and say why. */
  const fail = (figure, view, error) => fill(figure, view, { empty: `This figure could not be drawn: ${error.message}` });

  bakeoff.frame = { build, fill, fail };
})();

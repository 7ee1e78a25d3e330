// What a model predicts: which strategy is the cheapest where, one map a panel.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const COLOURS = 8;
  const CELL = { wide: 34, narrow: 28 };
  const MARGIN = { left: 64, right: 12, top: 40, bottom: 44 };
  const FAINT = 0.2;

  const READING = [
    "Each square is a size. Its colour and marker name the strategy with the lowest predicted cost. A full square is a clear winner. A faint square with a dashed edge is uncertain: the interval of the ratio to the next strategy contains 1, or the model errs too much; point at it, or read the data below, for the reason.",
    "The interval holds the spread of blocks and the residuals of the fit. It says nothing about effects that the formula leaves out.",
  ];

  const distinct = (values) => [...new Set(values)];
  const text = (value) => bakeoff.format.fixed(value, Number.isInteger(value) ? 0 : 2);
  const short = (value) => window.d3.format("~s")(value).replace("G", "B");

  /** Looks of the winners: those of the task's other charts, unless two of them would share a colour. */
  const looks = (task, names) => {
    const own = names.map((name) => task.strategies.findIndex((strategy) => strategy.strategy === name));
    const clear = own.every((at) => at >= 0) && distinct(own.map((at) => at % COLOURS)).length === own.length;
    return new Map(names.map((name, at) => [name, clear ? own[at] : at]));
  };

  const ratio = (own) => `${bakeoff.format.ratio(own.ratio)} [${bakeoff.format.ratio(own.low)}, ${bakeoff.format.ratio(own.high)}]`.replace(/x(?=[,\]])/g, "");

  const said = (map, panel, own) =>
    [
      panel.title,
      `${map.y} ${text(own.y)}, ${map.x} ${text(own.x)}`,
      `${own.winner}: ${map.cost} ${bakeoff.format.scaled(own.cost, map.unit)}`,
      `next ${own.second}: ${ratio(own)}`,
      own.doubt ? `uncertain: ${own.doubt}` : "",
    ].filter(Boolean).join("\n");

  const draw = (view) => {
    const models = view.task.models.filter((model) => model.map);
    const { map, title } = models[Number(view.pick("model", "Model", models.map((model, at) => [String(at), model.title])))];
    const look = looks(view.task, map.strategies);
    const cells = map.panels.flatMap((panel) =>
      panel.predictions.map((own) => ({ ...own, ...bakeoff.plot.styled(look.get(own.winner)), panel: panel.title, title: said(map, panel, own) })),
    );
    const unsure = cells.filter((own) => own.doubt).length;
    return {
      // A saved picture has this line too.
      where: `A model, not a measurement: ${title}`,
      summary: `The strategy with the lowest predicted ${map.cost} over ${map.y} and ${map.x}, in ${map.panels.length} maps.`,
      node: chart(view, map, cells),
      keys: map.strategies.map((name) => ({ strategy: look.get(name), label: name })),
      notes: [map.basis, unsure ? `Uncertain: ${unsure} of ${cells.length} squares, drawn faint with a dashed edge.` : ""],
      reading: READING,
      tables: tables(map),
    };
  };

  const chart = (view, map, cells) => {
    const { Plot } = window;
    const [columns, rows] = ["x", "y"].map((axis) => distinct(cells.map((own) => own[axis])).sort((a, b) => a - b));
    const facet = view.narrow ? "fy" : "fx";
    const count = map.panels.length;
    const high = rows.length * (view.narrow ? CELL.narrow : CELL.wide);
    const at = { [facet]: "panel", x: "x", y: "y" };
    const clear = cells.filter((own) => !own.doubt);
    const faint = cells.filter((own) => own.doubt);
    const names = map.panels.map((panel) => ({ panel: panel.title }));
    return bakeoff.plot.draw(view, {
      height: MARGIN.top + MARGIN.bottom + (view.narrow ? count * high + (count - 1) * MARGIN.top : high),
      marginLeft: MARGIN.left, marginRight: MARGIN.right, marginTop: MARGIN.top, marginBottom: MARGIN.bottom,
      x: { type: "band", domain: columns, padding: 0 },
      y: { type: "band", domain: [...rows].reverse(), padding: 0 },
      [facet]: { domain: map.panels.map((panel) => panel.title), axis: null, padding: view.narrow ? MARGIN.top / (high + MARGIN.top) : 0.08 },
      marks: [
        Plot.axisX({ tickFormat: short, tickSize: 0, label: map.x, labelAnchor: "center", labelArrow: "none", labelOffset: 38 }),
        Plot.axisY({ tickFormat: short, tickSize: 0, label: map.y, labelAnchor: "top", labelArrow: "none" }),
        Plot.text(names, { [facet]: "panel", text: "panel", frameAnchor: "top", dy: -14, fontWeight: 600 }),
        Plot.cell(clear, { ...at, fill: "colour", inset: 1 }),
        Plot.cell(faint, { ...at, fill: "colour", fillOpacity: FAINT, stroke: "colour", strokeDasharray: "3 3", inset: 2 }),
        Plot.dot(clear, { ...at, symbol: "symbol", fill: "var(--page)", stroke: "none", r: 4 }),
        Plot.dot(faint, { ...at, symbol: "symbol", stroke: "colour", fill: "none", r: 4 }),
        bakeoff.plot.tip(cells, at),
      ],
    });
  };

  const tables = (map) => {
    const { column } = bakeoff.plot;
    const scaled = (value) => bakeoff.format.scaled(value, map.unit);
    const bounds = ["ratio", "low", "high"].map((title) => column(title, bakeoff.format.ratio));
    return [{
      columns: [column("map"), column(map.y, text), column(map.x, text), column("cheapest"), column(map.cost, scaled), column("next"), ...bounds, column("uncertain because")],
      rows: map.panels.flatMap((panel) => panel.predictions.map((own) => [panel.title, own.y, own.x, own.winner, own.cost, own.second, own.ratio, own.low, own.high, own.doubt])),
    }];
  };

  (bakeoff.charts ??= {}).map = { title: "Predicted winners", has: (task) => task.models.some((model) => model.map), draw };
})();

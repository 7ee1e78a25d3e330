// The curves that a task records, as it declares them.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const MOST = 8;
  const REPEATS = 20;
  const LISTED = 3000;
  const MARGIN = { left: 64, right: 20, top: 30, bottom: 44 };
  const READING = ["Each thin line is one block; a strategy's lines share its colour and dash. Where all blocks were recorded at the same places, the thick line is their mean."];

  const sameStart = (repeats) => repeats.every((own) => own.x.length === repeats[0].x.length && own.x.every((x, at) => x === repeats[0].x[at]));

  const usable = (value, log) => value !== null && Number.isFinite(value) && (!log || value > 0);

  const points = (repeat, curve) =>
    repeat.x.map((x, at) => ({ x, y: repeat.y[at] })).filter(({ x, y }) => usable(x, curve.log_x) && usable(y, curve.log_y));

  /** Mean of repeats recorded at the same places; of fewer than two there is none. */
  const middle = (repeats, curve) => {
    if (repeats.length < 2 || !sameStart(repeats)) return [];
    return repeats[0].x
      .map((x, at) => ({ x, values: repeats.map((own) => own.y[at]).filter((y) => usable(y, curve.log_y)) }))
      .filter(({ x, values }) => usable(x, curve.log_x) && values.length)
      .map(({ x, values }) => ({ x, y: values.reduce((sum, value) => sum + value, 0) / values.length }));
  };

  const choose = (view) => {
    const cells = new Set(view.cells.map((cell) => view.task.cells.indexOf(cell)));
    const held = view.task.curves.filter((curve) => curve.lines.some((line) => cells.has(line.cell)));
    if (!held.length) return null;
    const at = view.pick("curve", "Curve", held.map((curve) => [curve.curve, curve.title]));
    const curve = held.find((own) => own.curve === at);
    const places = [...new Set(curve.lines.map((line) => line.cell))].filter((cell) => cells.has(cell));
    const cell = view.pick("cell", "Of", places.map((place) => [String(place), bakeoff.format.cell(view.task.cells[place])]));
    return { curve, lines: curve.lines.filter((line) => line.cell === Number(cell)), place: view.task.cells[Number(cell)] };
  };

  const draw = (view) => {
    const found = choose(view);
    if (!found) return { empty: "No curve was recorded in this selection." };
    const { curve, place } = found;
    const lines = found.lines.filter((line) => line.repeats.some((repeat) => points(repeat, curve).length));
    if (!lines.length) return { empty: `${curve.title}: nothing was recorded that can be drawn.` };
    const shown = view.show(lines.map((line) => line.strategy), { limit: MOST, swatch: "line" });
    const visible = lines.filter((line) => shown.has(line.strategy));
    const most = Math.max(...lines.map((line) => line.repeats.length));
    return {
      place,
      heading: curve.title,
      summary: `${curve.title} of ${lines.length} strategies: ${curve.y} against ${curve.x}.`,
      node: chart(view, curve, visible),
      notes: [most > REPEATS ? `The first ${REPEATS} of ${most} blocks are drawn.` : "", curve.diagonal ? "Dashed: both axes equal." : ""],
      reading: [curve.reading, ...READING].filter(Boolean),
      tables: [table(view, curve, lines)],
    };
  };

  const scale = (values, log, pixels) => {
    const text = (value) => bakeoff.axes.plain(value);
    return { ...bakeoff.axes.level(values.map((value) => [value]), { cost: log, unit: "1", better: "" }, pixels), tickFormat: text };
  };

  const chart = (view, curve, visible) => {
    const { Plot } = window;
    const height = Math.round(Math.min(440, Math.max(320, view.width * 0.55)));
    const data = visible.flatMap((line) =>
      line.repeats.slice(0, REPEATS).flatMap((repeat, at) =>
        points(repeat, curve).map((point) => ({ ...point, id: `${line.strategy} ${at}`, strategy: line.strategy, only: repeat.x.length === 1 })),
      ),
    );
    const styled = data.map((point) => ({ ...point, ...bakeoff.plot.styled(point.strategy), title: `${view.label(point.strategy)}\n${curve.x} ${bakeoff.axes.plain(point.x)}\n${curve.y} ${bakeoff.axes.plain(point.y)}` }));
    const both = [...styled.map((point) => point.x), ...styled.map((point) => point.y)];
    const [across, up] = [view.width - MARGIN.left - MARGIN.right, (height - MARGIN.top - MARGIN.bottom) * 1.6];
    const x = scale(curve.diagonal ? both : styled.map((point) => point.x), curve.log_x, across);
    const y = scale(curve.diagonal ? both : styled.map((point) => point.y), curve.log_y, up);
    const own = (list, strategy) => list.filter((point) => point.strategy === strategy);
    const means = visible.map((line) => [line.strategy, middle(line.repeats, curve)]);
    const line = ([strategy, mean]) => {
      const look = { x: "x", y: "y", stroke: bakeoff.look.colour(strategy), strokeDasharray: bakeoff.look.dash(strategy) };
      const bold = strategy === view.state.reference ? 1 : 0;
      return [
        Plot.line(own(styled, strategy), { ...look, z: "id", strokeWidth: 1 + bold / 2, strokeOpacity: mean.length ? 0.3 : 0.75 }),
        Plot.line(mean, { ...look, strokeWidth: 2.25 + bold }),
      ];
    };
    const ends = [Math.max(x.domain[0], y.domain[0]), Math.min(x.domain[1], y.domain[1])];
    return bakeoff.plot.draw(view, {
      height,
      marginLeft: MARGIN.left, marginRight: MARGIN.right, marginTop: MARGIN.top, marginBottom: MARGIN.bottom,
      x,
      y,
      marks: [
        ...bakeoff.plot.grid(x, y, curve.x, curve.y),
        curve.diagonal ? Plot.line(ends, { x: (value) => value, y: (value) => value, stroke: "currentColor", strokeOpacity: 0.6, strokeDasharray: "4 4" }) : null,
        ...means.flatMap(line),
        bakeoff.plot.dots(styled.filter((point) => point.only), { x: "x", y: "y", r: 3.5 }),
        bakeoff.plot.tip(styled, { x: "x", y: "y" }),
      ],
    });
  };

  const table = (view, curve, lines) => {
    const { column } = bakeoff.plot;
    const text = (value) => (value === null ? bakeoff.format.NONE : bakeoff.axes.plain(value));
    const rows = lines.flatMap((line) => line.repeats.flatMap((repeat, at) => repeat.x.map((x, place) => [view.label(line.strategy), at + 1, x, repeat.y[place]])));
    return {
      caption: rows.length > LISTED ? `The first ${LISTED} of ${rows.length} points` : "",
      columns: [column("strategy"), column("curve"), column(curve.x, text), column(curve.y, text)],
      rows: rows.slice(0, LISTED),
    };
  };

  (bakeoff.charts ??= {}).curves = { title: "Curves", has: (task) => task.curves.length > 0, draw };
})();

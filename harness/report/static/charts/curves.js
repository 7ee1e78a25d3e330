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
  const meanCurve = (repeats, curve) => {
    if (!sameStart(repeats)) return [];
    return repeats[0].x
      .map((x, at) => ({ x, values: repeats.map((own) => own.y[at]).filter((y) => usable(y, curve.log_y)) }))
      .filter(({ x, values }) => usable(x, curve.log_x) && values.length)
      .map(({ x, values }) => ({ x, y: values.reduce((sum, value) => sum + value, 0) / values.length }));
  };

  /** The band around repeats recorded at the same places, its ends averaged over them, else that of the first one. */
  const band = (repeats, curve) => {
    const among = sameStart(repeats) ? repeats : repeats.slice(0, 1);
    const [low, high] = ["low", "high"].map((end) => meanCurve(among.map((own) => ({ x: own.x, y: own[end] ?? [] })), curve));
    return low.length === high.length ? low.map(({ x, y }, at) => ({ x, low: y, high: high[at].y })) : [];
  };

  const choose = (view) => {
    const cells = new Set(view.cells.map((cell) => view.task.cells.indexOf(cell)));
    const held = view.task.curves.filter((curve) => curve.lines.some((line) => cells.has(line.cell)));
    if (!held.length) return null;
    const at = view.pick("curve", "Curve", held.map((curve) => [curve.curve, curve.title]));
    const curve = held.find((own) => own.curve === at);
    const places = [...new Set(curve.lines.map((line) => line.cell))].filter((cell) => cells.has(cell));
    const cell = view.pick("cell", "Of", places.map((place) => [String(place), bakeoff.format.cell(view.task.cells[place])]));
    const limit = bakeoff.limits.of(curve, Number(cell));
    return { curve, limit, lines: curve.lines.filter((line) => line.cell === Number(cell)), place: view.task.cells[Number(cell)] };
  };

  /** How far the lines of a strategy are from the diagonal on average, or where they end. */
  const figureOf = (curve, repeats) => {
    const lines = repeats.map((repeat) => points(repeat, curve)).filter((line) => line.length);
    const values = curve.diagonal ? lines.flat().map(({ x, y }) => Math.abs(y - x)) : lines.map((line) => line.at(-1).y);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };

  /** What is to be seen: the first and the last strategy by that figure; empty if there is nothing to tell apart. */
  const caption = (view, curve, visible) => {
    const found = visible
      .map((line) => ({ name: view.label(line.strategy), value: figureOf(curve, line.repeats) }))
      .sort((one, other) => one.value - other.value)
      .map(({ name, value }) => ({ name, text: bakeoff.axes.plain(Number(value.toPrecision(3))) }));
    const [first, last] = [found[0], found.at(-1)];
    if (!first || first.text === last.text) return undefined;
    return curve.diagonal
      ? `On average ${first.name} is nearest to the diagonal, ${first.text} away, and ${last.name} farthest, ${last.text} away.`
      : `Where the lines end, ${first.name} is lowest, at ${first.text}, and ${last.name} highest, at ${last.text}.`;
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
    const limit = limited(curve, found.limit, visible);
    return {
      place,
      heading: curve.title,
      summary: `${curve.title} of ${lines.length} strategies${limit.lines.length ? ` and ${limit.title}` : ""}: ${curve.y} against ${curve.x}.`,
      caption: caption(view, curve, visible),
      node: chart(view, curve, visible, limit),
      neutral: limit.lines.length ? [limit.title] : [],
      notes: [
        most > REPEATS ? `The first ${REPEATS} of ${most} blocks are drawn.` : "",
        curve.diagonal ? "Dashed: both axes equal." : "",
        visible.some(({ repeats }) => !sameStart(repeats) && repeats[0].low?.length) ? "Bands are those of the first block." : "",
        limit.note,
      ],
      reading: [curve.reading, ...(curve.means ? [] : READING)].filter(Boolean),
      tables: [table(view, curve, lines, found.limit)],
    };
  };

  /** What is drawn of a limit: its title, its lines of points, and a note. */
  const limited = (curve, limit, visible) => {
    const lines = (limit?.repeats ?? []).map((repeat) => points(repeat, curve)).filter((line) => line.length);
    const title = limit?.title ?? "";
    const heights = visible.flatMap((line) => line.repeats.flatMap((repeat) => points(repeat, curve).map(({ y }) => y)));
    return { title, ...bakeoff.limits.fitted(title, lines, heights, curve.log_y) };
  };

  const scale = (values, log, pixels) => {
    const text = (value) => bakeoff.axes.plain(value);
    return { ...bakeoff.axes.level(values.map((value) => [value]), { cost: log, unit: "1", better: "" }, pixels), tickFormat: text };
  };

  const said = (name, curve, point) => `${name}\n${curve.x} ${bakeoff.axes.plain(point.x)}\n${curve.y} ${bakeoff.axes.plain(point.y)}`;

  /** All points of the lines that are drawn, with how they look and what is said of them. */
  const dataOf = (view, curve, visible) =>
    visible.flatMap((line) =>
      line.repeats.slice(0, REPEATS).flatMap((repeat, at) =>
        points(repeat, curve).map((point) => ({
          ...point,
          ...bakeoff.plot.styled(line.strategy),
          id: `${line.strategy} ${at}`,
          only: repeat.x.length === 1,
          title: said(view.label(line.strategy), curve, point),
        })),
      ),
    );

  const scales = (view, curve, styled, limit, bands, height) => {
    const xs = styled.map((point) => point.x);
    const ys = [...[...styled, ...limit.lines.flat()].map((point) => point.y), ...bands.flatMap(([, own]) => own.flatMap(({ low, high }) => [low, high]))];
    const [across, up] = [view.width - MARGIN.left - MARGIN.right, (height - MARGIN.top - MARGIN.bottom) * 1.6];
    const both = [...xs, ...ys];
    return { x: scale(curve.diagonal ? both : xs, curve.log_x, across), y: scale(curve.diagonal ? both : ys, curve.log_y, up) };
  };

  const chart = (view, curve, visible, limit) => {
    const { Plot } = window;
    const height = Math.round(Math.min(440, Math.max(320, view.width * 0.55)));
    const styled = dataOf(view, curve, visible);
    const bands = visible.map((line) => [line.strategy, band(line.repeats, curve)]);
    const { x, y } = scales(view, curve, styled, limit, bands, height);
    const told = limit.lines.flat().map((point) => ({ ...point, title: said(limit.title, curve, point) }));
    const own = (list, strategy) => list.filter((point) => point.strategy === strategy);
    const means = visible.map((line) => [line.strategy, line.repeats.length < 2 ? [] : meanCurve(line.repeats, curve)]);
    const around = ([strategy, own]) => Plot.areaY(own, { x: "x", y1: "low", y2: "high", fill: bakeoff.look.colour(strategy), fillOpacity: 0.12 });
    const line = ([strategy, mean]) => {
      const look = { x: "x", y: "y", stroke: bakeoff.look.colour(strategy), strokeDasharray: bakeoff.look.dash(strategy) };
      const bold = strategy === view.state.reference ? 1 : 0;
      return [
        Plot.line(own(styled, strategy), { ...look, z: "id", strokeWidth: 1 + bold / 2, strokeOpacity: mean.length ? 0.3 : 0.75 }),
        Plot.line(mean, { ...look, strokeWidth: 2.25 + bold }),
      ];
    };
    const ends = [Math.max(x.domain[0], y.domain[0]), Math.min(x.domain[1], y.domain[1])];
    const node = bakeoff.plot.draw(view, {
      height,
      marginLeft: MARGIN.left, marginRight: MARGIN.right, marginTop: MARGIN.top, marginBottom: MARGIN.bottom,
      x,
      y,
      marks: [
        ...bakeoff.plot.grid(x, y, curve.x, curve.y),
        curve.diagonal ? Plot.line(ends, { x: (value) => value, y: (value) => value, stroke: "currentColor", strokeOpacity: 0.6, strokeDasharray: "4 4" }) : null,
        ...bands.map(around),
        ...means.flatMap(line),
        ...bakeoff.limits.marks(limit.lines),
        bakeoff.plot.dots(styled.filter((point) => point.only), { x: "x", y: "y", r: 3.5 }),
        bakeoff.plot.tip([...styled, ...told], { x: "x", y: "y" }),
      ],
    });
    const frame = { left: MARGIN.left, right: view.width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom };
    const others = visible.flatMap((line) => line.repeats.slice(0, REPEATS).map((repeat) => points(repeat, curve)));
    if (limit.lines.length) bakeoff.limits.name(node, limit.title, limit.lines, others, frame);
    return node;
  };

  const table = (view, curve, lines, limit) => {
    const { column } = bakeoff.plot;
    const text = (value) => (value === null ? bakeoff.format.NONE : bakeoff.axes.plain(value));
    const listed = (name, repeats) => repeats.flatMap((repeat, at) => repeat.x.map((x, place) => [name, at + 1, x, repeat.y[place]]));
    // The limit comes first: of many points the last are left out.
    const rows = [...(limit ? listed(limit.title, limit.repeats) : []), ...lines.flatMap((line) => listed(view.label(line.strategy), line.repeats))];
    return {
      caption: rows.length > LISTED ? `The first ${LISTED} of ${rows.length} points` : "",
      columns: [column("strategy"), column("curve"), column(curve.x, text), column(curve.y, text)],
      rows: rows.slice(0, LISTED),
    };
  };

  (bakeoff.charts ??= {}).curves = { title: "Curves", has: (task) => task.curves.length > 0, draw };
})();

// How cost or quality goes with a number that was swept.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const MOST = 8;
  const NAMES = 170;
  const ENDS = 22;

  const READING = [
    "Each line is a strategy: its mean at every value of the swept parameter, with 95 % confidence intervals over the blocks. Both axes are logarithmic for a cost, so a straight line is a power law.",
    "The slope is the power: 1 is proportional (ten times as much takes ten times as long), less is cheaper than that, more is dearer. It is fitted within blocks and given with its interval.",
    "A vertical line with a band marks the size at which a strategy and the reference cost the same, with its interval.",
  ];

  const lines = (view, sweep, measure) => {
    const at = (cells, value, strategy) => {
      const found = bakeoff.levels.mean(view.task, cells, strategy, measure.name);
      return found ? [{ value, ...found }] : [];
    };
    const all = sweep.option
      ? sweep.lines.map((line) => ({ ...line, points: line.members.flatMap(([value, own]) => at(view.cells, value, own)) }))
      : bakeoff.levels.having(view.task, sweep.cells, measure.name).map((strategy) => ({
          strategy,
          label: view.label(strategy),
          points: sweep.cells.flatMap((cell) => at([cell], cell.params[sweep.name], strategy)),
        }));
    const swept = all.filter((line) => line.points.length > 1);
    return swept.length ? swept : all.filter((line) => line.points.length);
  };

  const slope = (found) => {
    const text = (value) => bakeoff.format.fixed(value, 2);
    return found.low === null ? text(found.estimate) : `${text(found.estimate)} [${text(found.low)}, ${text(found.high)}]`;
  };

  /** What is to be seen: which strategy grows most from the first to the last value, and which least. */
  const caption = (view, sweep, measure, visible, values) => {
    const ends = [values[0], values.at(-1)];
    const found = visible
      .map(({ label, points }) => ({ label, levels: ends.map((end) => points.find((point) => point.value === end)?.estimate) }))
      .filter(({ levels }) => levels.every(Number.isFinite) && (!measure.cost || levels[0] > 0))
      .map(({ label, levels: [from, to] }) => ({ label, estimate: measure.cost ? to / from : to - from }))
      .sort((one, other) => other.estimate - one.estimate);
    if (found.length < 2 || values.length < 2) return undefined;
    const said = (own) => `${own.label}, ${bakeoff.format.effect({ ...own, low: null, high: null }, measure.cost)}`;
    const [from, to] = ends.map(bakeoff.axes.plain);
    return `From ${sweep.name} ${from} to ${to}, ${measure.title} goes up most for ${said(found[0])}, and least for ${said(found.at(-1))}.`;
  };

  const draw = (view) => {
    const sweeps = [...bakeoff.sweeps.ofParams(view), ...bakeoff.sweeps.ofOptions(view)];
    if (!sweeps.length) return { empty: "No sweep in this selection." };
    const chosen = sweeps[Number(view.pick("sweep", "Along", sweeps.map((sweep, at) => [String(at), sweep.title])))];
    const measure = view.measure("measure", "Measure");
    const found = lines(view, chosen, measure);
    if (!found.length) return { empty: `No ${measure.title} in this selection.` };
    const fits = chosen.option ? { slopes: [], crossovers: [] } : bakeoff.sweeps.fitted(view.task, chosen, measure);
    const notes = new Map(fits.slopes.map((own) => [own.strategy, `slope ${slope(own)}`]));
    const labels = new Map(found.map((line) => [line.strategy, line.label]));
    const shown = view.show(found.map((line) => line.strategy), { limit: MOST, notes, labels });
    const visible = found.filter((line) => shown.has(line.strategy));
    const crossing = fits.crossovers.filter((own) => shown.has(own.of) && shown.has(own.to));
    const values = [...new Set(found.flatMap((line) => line.points.map((point) => point.value)))].sort((a, b) => a - b);
    return {
      where: chosen.option ? null : chosen.where,
      summary: `${measure.title} of ${found.length} strategies at ${chosen.name} ${bakeoff.axes.plain(values[0])} to ${bakeoff.axes.plain(values.at(-1))}.`,
      caption: caption(view, chosen, measure, visible, values),
      node: chart(view, { sweep: chosen, measure, visible, values, crossing }),
      notes: [
        ...crossing.map((own) => `${view.label(own.of)} and ${view.label(own.to)} change places at ${chosen.name} ${range(own)}.`),
        chosen.option ? `${chosen.name} is an option of the strategies; where it was not set, its default is taken.` : "",
      ],
      reading: READING,
      tables: tables(view, chosen, measure, found, fits),
    };
  };

  const range = (own) => {
    const text = (value) => (value >= 100 ? bakeoff.format.fixed(Number(value.toPrecision(3)), 0) : bakeoff.axes.plain(Number(value.toPrecision(3))));
    return own.low === null ? text(own.estimate) : `${text(own.estimate)} [${text(own.low)}, ${text(own.high)}]`;
  };

  const margins = (view, visible) => {
    const wide = Math.max(0, ...visible.map((line) => bakeoff.look.width(line.label, true)));
    return { left: 64, right: view.narrow ? 16 : ENDS + 4 + Math.min(NAMES, wide), top: 30, bottom: 44 };
  };

  const chart = (view, { sweep, measure, visible, values, crossing }) => {
    const { Plot } = window;
    const margin = margins(view, visible);
    const height = view.narrow ? 320 : 400;
    const points = visible.flatMap((line) =>
      line.points.map((point) => ({
        ...point,
        ...bakeoff.plot.styled(line.strategy),
        title: `${line.label}\n${sweep.name} ${bakeoff.axes.plain(point.value)}\n${measure.title} ${bakeoff.plot.level(point, measure)}\n${point.blocks} blocks`,
      })),
    );
    const x = bakeoff.axes.swept(values, view.width - margin.left - margin.right);
    const y = bakeoff.axes.level(points.map((point) => [point.estimate, point.low, point.high]), measure, (height - 74) * 1.6);
    const line = (own) =>
      Plot.line(points.filter((point) => point.strategy === own.strategy), {
        x: "value", y: "estimate", stroke: bakeoff.look.colour(own.strategy), strokeWidth: own.strategy === view.state.reference ? 3 : 1.75,
        strokeDasharray: bakeoff.look.dash(own.strategy),
      });
    const crossed = crossing.filter((own) => own.estimate >= x.domain[0] && own.estimate <= x.domain[1]).map((own) => ({ ...own, ...bakeoff.plot.styled(own.of) }));
    const node = bakeoff.plot.draw(view, {
      height,
      marginLeft: margin.left, marginRight: margin.right, marginTop: margin.top, marginBottom: margin.bottom,
      x,
      y,
      marks: [
        ...bakeoff.plot.grid(x, y, sweep.name, bakeoff.plot.axis(measure)),
        Plot.rectX(crossed.filter((own) => own.low !== null), { x1: "low", x2: "high", fill: "colour", fillOpacity: 0.1, clip: true }),
        Plot.ruleX(crossed, { x: "estimate", stroke: "colour", strokeDasharray: "4 3" }),
        Plot.ruleX(points.filter((point) => point.low !== null), { x: "value", y1: "low", y2: "high", stroke: "colour", strokeOpacity: 0.7, clip: true }),
        ...visible.map(line),
        bakeoff.plot.dots(points, { x: "value", y: "estimate" }),
        bakeoff.plot.tip(points, { x: "value", y: "estimate" }),
      ],
    });
    if (!view.narrow) name(view, node, visible, margin, height);
    const items = crossed.map((own) => ({
      x: node.scale("x").apply(own.estimate),
      y: margin.top + 8,
      text: `${view.label(own.of)} crosses ${view.label(own.to)}`,
      longest: 320,
    }));
    bakeoff.labels.near(node, items, { left: margin.left, right: view.width - margin.right, top: margin.top - 8, bottom: margin.top + 60 });
    return node;
  };

  const name = (view, node, visible, margin, height) => {
    const [across, down] = [node.scale("x"), node.scale("y")];
    const items = visible.map((line) => ({
      x: across.apply(line.points.at(-1).value),
      y: down.apply(line.points.at(-1).estimate),
      text: line.label,
      colour: bakeoff.look.colour(line.strategy),
      bold: line.strategy === view.state.reference,
    }));
    bakeoff.labels.ends(node, items, view.width - margin.right + ENDS, margin.right - ENDS, [margin.top, height - margin.bottom]);
  };

  const tables = (view, sweep, measure, found, { slopes, crossovers }) => {
    const { column } = bakeoff.plot;
    const number = (value) => (value === null ? bakeoff.format.NONE : bakeoff.format.fixed(value, 3));
    const size = (value) => (value === null ? bakeoff.format.NONE : range({ estimate: value, low: null }));
    const all = [
      {
        columns: [column("strategy"), column(sweep.name), ...bakeoff.plot.levels(measure), column("blocks")],
        rows: found.flatMap((line) => line.points.map((point) => [line.label, point.value, point.estimate, point.low, point.high, point.blocks])),
      },
      {
        caption: `Slope of ${measure.title} against ${sweep.name}, log-log`,
        columns: [column("strategy"), column("slope", number), column("low", number), column("high", number), column("blocks")],
        rows: slopes.map((own) => [view.label(own.strategy), own.estimate, own.low, own.high, own.blocks]),
      },
      {
        caption: `Where two strategies change places in ${measure.title}`,
        columns: [column("strategy"), column("other"), column(sweep.name, size), column("low", size), column("high", size)],
        rows: crossovers.map((own) => [view.label(own.of), view.label(own.to), own.estimate, own.low, own.high]),
      },
    ];
    return all.filter((own) => own.rows.length);
  };

  const numeric = (record) => Object.values(record).some((value) => typeof value === "number");
  const swept = (task, index) => Object.values(bakeoff.state.choices(index).params).some((values) => values.filter((value) => typeof value === "number").length > 1);

  (bakeoff.charts ??= {}).scaling = {
    title: "Scaling",
    has: (task, index) => task.cells.length > 0 && (swept(task, index) || task.strategies.some((own) => numeric(own.options))),
    draw,
  };
})();

// The same strategies over tracked runs, with the runs from which on they were faster, slower, better or worse.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const MOST = 8;
  const DAY = 864e5;
  const MARGIN = { left: 64, right: 44, top: 40, bottom: 44 };

  const READING = [
    "Each point is a run: the mean over its blocks (geometric for a cost) with its 95 % confidence interval. Lines join runs that can be compared only: of one machine, on the same data and, for totals of time and memory, with the same set-up phases.",
    "A vertical line is a change point: from that run on, the level differs from before. The data below give the level before and after, and p.",
  ];

  const distinct = (values) => [...new Set(values)];
  const machineOf = (series) => series.points[0]?.machine ?? "";
  const setupOf = (series) => (series.setup?.length ? `, without ${series.setup.join(", ")}` : "");

  const choose = (view) => {
    const { task } = view;
    const measured = task.measures.filter((measure) => task.history.some((own) => own.measure === measure.name && own.points.length));
    if (!measured.length) return null;
    const measure = view.measure("measure", "Measure", (own) => measured.includes(own));
    const series = task.history.filter((own) => own.measure === measure.name && own.points.length);
    const selected = new Set(view.cells.map(bakeoff.format.cell));
    const cells = distinct(series.map((own) => own.cell));
    const cell = view.pick("cell", "Of", cells.map((own) => [own, own]), cells.find((own) => selected.has(own)));
    return { measure, cell, series: series.filter((own) => own.cell === cell) };
  };

  const draw = (view) => {
    const found = choose(view);
    if (!found) return { empty: "No two tracked runs measured the same." };
    const { measure, cell, series } = found;
    const machines = distinct(series.flatMap((own) => own.points.map((point) => point.machine)));
    const shown = view.show(distinct(series.map((own) => own.strategy)).sort((a, b) => a - b), { limit: MOST, swatch: machines.length > 1 ? "line" : "marker" });
    const visible = series.filter((own) => shown.has(own.strategy));
    const changes = visible.flatMap((own) => own.changes.map((change) => ({ ...change, series: own })));
    return {
      where: cell,
      summary: `${measure.title} in ${distinct(series.flatMap((own) => own.points.map((point) => point.run))).length} runs, ${series.flatMap((own) => own.changes).length} change points.`,
      node: chart(view, measure, visible, changes, machines),
      machines: machines.length > 1 ? machines : [],
      notes: changes.map(({ series: own, before, after, index }) =>
        `${view.label(own.strategy)}: from ${bakeoff.format.figure(before, measure.unit)} to ${bakeoff.format.figure(after, measure.unit)} with run ${own.points[index]?.run ?? ""}.`),
      reading: [...READING, ...searched(visible)],
      tables: tables(view, measure, series),
    };
  };

  /** Say of which part of the runs the change points are, where that is not all of them. */
  const searched = (visible) =>
    distinct(visible.filter((own) => own.searched < own.points.length).map((own) => `Change points are searched for in the last ${own.searched} runs of a series only.`));

  const halfway = (series, index) => {
    const [before, after] = [series.points[Math.max(0, index - 1)], series.points[index]].map((point) => Date.parse(point?.started));
    return new Date((before + after) / 2);
  };

  const dataOf = (view, measure, visible, machines) =>
    visible.flatMap((own, place) =>
      own.points.map((point) => ({
        ...point,
        ...bakeoff.plot.styled(own.strategy),
        ...(machines.length > 1 ? { symbol: bakeoff.look.MARKERS[machines.indexOf(point.machine) % bakeoff.look.MARKERS.length] } : {}),
        line: place,
        time: new Date(point.started),
        title: `${view.label(own.strategy)}\nrun ${point.run}, ${point.started.slice(0, 16).replace("T", " ")}${point.commit ? `\ncommit ${point.commit}` : ""}\n${point.machine}${setupOf(own)}\n${measure.title} ${bakeoff.plot.level({ ...point, estimate: point.mean }, measure)}`,
      })),
    );

  const chart = (view, measure, visible, changes, machines) => {
    const { Plot } = window;
    const height = view.narrow ? 320 : 380;
    const data = dataOf(view, measure, visible, machines);
    const y = bakeoff.axes.level(data.map((point) => [point.mean, point.low, point.high]), measure, (height - MARGIN.top - MARGIN.bottom) * 1.6);
    const across = view.width - MARGIN.left - MARGIN.right;
    const times = data.map((point) => +point.time);
    const pad = (Math.max(...times) - Math.min(...times)) * 0.04 || 3.6e6;
    const domain = [new Date(Math.min(...times) - pad), new Date(Math.max(...times) + pad)];
    const format = domain[1] - domain[0] < 4 * DAY ? "%-d %b %H:%M" : domain[1] - domain[0] < 300 * DAY ? "%-d %b" : "%b %Y";
    const x = {
      type: "utc",
      domain,
      ticks: window.d3.scaleUtc(domain, [0, across]).ticks(Math.max(2, Math.floor(across / 160))),
      tickFormat: window.d3.utcFormat(format),
    };
    const rules = changes.map((change) => ({ ...bakeoff.plot.styled(change.series.strategy), time: halfway(change.series, change.index) })).filter((rule) => !Number.isNaN(+rule.time));
    const line = (id) => {
      const own = data.filter((point) => point.line === id);
      const [{ strategy }] = own;
      return Plot.line(own, { x: "time", y: "mean", stroke: bakeoff.look.colour(strategy), strokeDasharray: bakeoff.look.dash(strategy), strokeWidth: strategy === view.state.reference ? 2.75 : 1.5 });
    };
    const node = bakeoff.plot.draw(view, {
      height,
      marginLeft: MARGIN.left, marginRight: MARGIN.right, marginTop: MARGIN.top, marginBottom: MARGIN.bottom,
      x,
      y,
      marks: [
        ...bakeoff.plot.grid(x, y, "time of the run (UTC)", bakeoff.plot.axis(measure)),
        Plot.ruleX(rules, { x: "time", stroke: "colour", strokeWidth: 1.5, strokeDasharray: "5 3" }),
        Plot.ruleX(data.filter((point) => point.low !== null), { x: "time", y1: "low", y2: "high", stroke: "colour", strokeOpacity: 0.6, clip: true }),
        ...distinct(data.map((point) => point.line)).map(line),
        bakeoff.plot.dots(data, { x: "time", y: "mean", r: 4 }),
        bakeoff.plot.tip(data, { x: "time", y: "mean" }),
      ],
    });
    name(view, node, measure, changes);
    return node;
  };

  /** Write before and after at the head of each change point, where there is room. */
  const name = (view, node, measure, changes) => {
    const across = node.scale("x");
    const text = (value) => bakeoff.format.figure(value, measure.unit);
    const items = changes.map((change) => ({
      x: across.apply(halfway(change.series, change.index)),
      y: MARGIN.top - 4,
      text: `${text(change.before)} → ${text(change.after)}`,
      title: `${view.label(change.series.strategy)}: ${text(change.before)} → ${text(change.after)}`,
    }));
    const axis = { left: 0, right: bakeoff.look.width(bakeoff.plot.axis(measure)) + 12, top: 0, bottom: MARGIN.top };
    bakeoff.labels.near(node, items, { left: 0, right: view.width, top: 0, bottom: MARGIN.top }, [axis]);
  };

  const tables = (view, measure, series) => {
    const { column } = bakeoff.plot;
    const text = (value) => bakeoff.format.figure(value, measure.unit);
    const points = series.flatMap((own) => own.points.map((point) => [view.label(own.strategy), point.run, point.started, point.machine, point.commit, point.mean, point.low, point.high, point.blocks]));
    const changes = series.flatMap((own) => own.changes.map((change) => [view.label(own.strategy), machineOf(own), own.points[change.index]?.run ?? "", change.before, change.after, change.p]));
    const all = [
      { columns: [column("strategy"), column("run"), column("started", (value) => value.slice(0, 16).replace("T", " ")), column("machine"), column("commit"), ...bakeoff.plot.levels(measure), column("blocks")], rows: points },
      { caption: "Change points", columns: [column("strategy"), column("machine"), column("from run"), column("before", text), column("after", text), column("p", (value) => (value === null ? bakeoff.format.NONE : value < 1e-4 ? "<0.0001" : value.toFixed(4)))], rows: changes },
    ];
    return all.filter((own) => own.rows.length);
  };

  (bakeoff.charts ??= {}).history = {
    title: "Over tracked runs",
    has: (task) => task.history.some((own) => own.points.length),
    draw,
  };
})();

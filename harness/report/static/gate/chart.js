// The pairs of one figure: rounds, medians, the running mean with its interval, no change, and the margin.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const HEIGHT = 240;
  const NARROW = 480;
  const MARGIN = { marginLeft: 58, marginRight: 16, marginTop: 24, marginBottom: 38 };
  const GAP = 1;
  const SPREAD = 0.6;
  const FLAT = 5e-4;
  const TAIL = 0.02;

  const known = (values) => values.filter((value) => value !== null);

  /** A log-ratio in parts as a change in per cent: "+8.3 %". */
  const percent = (value, part) => {
    if (value === null) return bakeoff.format.NONE;
    const change = 100 * Math.expm1(value * part);
    const text = bakeoff.format.fixed(change, Math.abs(change) < 100 ? 1 : 0);
    return `${change > 0 && /[1-9]/.test(text) ? "+" : ""}${text} %`;
  };

  const tick = (ratio) => {
    const change = Number((100 * (ratio - 1)).toPrecision(6));
    return `${change > 0 ? "+" : ""}${String(change).replace("-", "−")} %`;
  };

  /** Where a pair stands on the axis; the confirming ones begin after a gap. */
  const place = (at, screened) => at + 1 + (at >= screened ? GAP : 0);

  const quantile = (sorted, share) => sorted[Math.round(share * (sorted.length - 1))];

  /** The scale holds medians, estimates, no change and the margin; single rounds far off do not stretch it. */
  const scale = (figure, part) => {
    const sorted = known(figure.rounds.flat()).sort((a, b) => a - b);
    const ends = sorted.length ? [quantile(sorted, TAIL), quantile(sorted, 1 - TAIL)] : [];
    const bounds = figure.running.filter(([, low]) => low !== null);
    const values = [0, ...known([figure.margin, ...ends, ...figure.medians])].map((value) => [value, null, null]);
    const all = [...values, ...bounds];
    const [low, high] = bakeoff.axes.bounds(...[0, 1, 2].map((at) => all.map((entry) => (entry[at] === null ? null : entry[at] * part))));
    const pad = Math.max((high - low) * 0.06, FLAT);
    const domain = [Math.exp(low - pad), Math.exp(high + pad)];
    return { type: "log", domain, ticks: bakeoff.axes.logTicks(...domain, HEIGHT * 1.4), tickFormat: tick };
  };

  const stageOf = (at, screened) => (at < screened ? "screen" : "confirm");

  const title = (model, figure, at) => {
    const pair = model.pairs[at];
    const [estimate, low, high] = figure.running[at];
    const interval = low === null ? "" : ` [${percent(low, model.part)}, ${percent(high, model.part)}]`;
    return [
      `pair ${at + 1}, ${stageOf(at, model.screened)}`,
      `block ${pair.block}, ${pair.first} first`,
      pair.failed ? `failed: ${pair.failed}` : `median ${percent(figure.medians[at], model.part)}`,
      `so far ${percent(estimate, model.part)}${interval}`,
    ].join("\n");
  };

  const points = (model, figure) => {
    const ratio = (value) => (value === null ? NaN : Math.exp(value * model.part));
    return model.pairs.map((pair, at) => ({
      x: place(at, model.screened),
      stage: stageOf(at, model.screened),
      number: at + 1,
      failed: Boolean(pair.failed),
      middle: ratio(figure.medians[at]),
      mean: ratio(figure.running[at][0]),
      low: ratio(figure.running[at][1]),
      high: ratio(figure.running[at][2]),
      title: title(model, figure, at),
    }));
  };

  const rounds = (model, figure) =>
    figure.rounds.flatMap((values, at) =>
      values.map((value, round) => ({
        x: place(at, model.screened) + SPREAD * (values.length > 1 ? round / (values.length - 1) - 0.5 : 0),
        y: value === null ? NaN : Math.exp(value * model.part),
      })),
    );

  /** Numbers of pairs, as many as leave room for their texts. */
  const numbers = (data, width) => {
    const every = Math.max(1, Math.ceil((data.length * 24) / width));
    return data.filter((point) => (point.number - 1) % every === 0);
  };

  const axes = (data, y, width) => {
    const { Plot } = window;
    const ticks = numbers(data, width - MARGIN.marginLeft - MARGIN.marginRight);
    return [
      Plot.gridY(y.ticks, { stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.axisY(y.ticks, { text: y.ticks.map(tick), tickSize: 4, label: null }),
      Plot.axisX(ticks.map((point) => point.x), { text: ticks.map((point) => String(point.number)), tickSize: 0, label: "pair, in the order they ran", labelAnchor: "center", labelArrow: "none", labelOffset: 34 }),
    ];
  };

  /** The line between the stages, with their names. */
  const stages = (model, data) => {
    const { Plot } = window;
    if (!model.screened || model.screened === data.length) return [];
    const from = data[model.screened - 1].x + (1 + GAP) / 2;
    const name = (x, text) => Plot.text([{ x }], { x: "x", text: () => text, frameAnchor: "top", textAnchor: text === "screen" ? "end" : "start", dx: text === "screen" ? -6 : 6, dy: -15, fill: "var(--muted)", fontSize: 11 });
    return [Plot.ruleX([from], { stroke: "var(--strong-line)", strokeDasharray: "2 3" }), name(from, "screen"), name(from, "confirm")];
  };

  const lines = (model, figure) => {
    const { Plot } = window;
    const none = Plot.ruleY([1], { stroke: "currentColor" });
    if (figure.margin === null) return [none];
    const at = Math.exp(figure.margin * model.part);
    return [
      none,
      Plot.ruleY([at], { stroke: "var(--worse)", strokeDasharray: "6 3", strokeWidth: 1.5 }),
      Plot.text([at], { y: (value) => value, text: () => "margin", frameAnchor: "right", textAnchor: "end", dy: -7, fill: "var(--worse)", stroke: "var(--page)", strokeWidth: 3, fontSize: 11 }),
    ];
  };

  /** Tooltips; where the chart is narrow, those at its sides lean inwards. */
  const tips = (data, { domain: [low, high] }, width) => {
    const channels = { x: "x", y: ({ middle }) => (Number.isNaN(middle) ? 1 : Math.min(high, Math.max(low, middle))) };
    if (width >= NARROW) return [bakeoff.plot.tip(data, channels, "x")];
    const third = (at) => Math.min(2, Math.floor((3 * at) / data.length));
    return ["bottom-left", "bottom", "bottom-right"].map((anchor, part) =>
      bakeoff.plot.tip(data.filter((_, at) => third(at) === part), { ...channels, anchor }, "x"),
    );
  };

  /**
   * Draw a figure of a case. `model` has the pairs, how many of them screened, and the part of a log-ratio. Returns the
   * chart, and how many rounds lie beyond its scale.
   */
  const draw = (model, figure, width) => {
    const { Plot } = window;
    const y = scale(figure, model.part);
    const data = points(model, figure);
    const whole = data.filter((point) => !Number.isNaN(point.middle));
    const band = data.filter((point) => !Number.isNaN(point.low));
    const inside = ([low, high], value) => value >= low && value <= high;
    const all = rounds(model, figure).filter((point) => !Number.isNaN(point.y));
    const dots = all.filter((point) => inside(y.domain, point.y));
    const last = data.at(-1)?.x ?? 1;
    const node = bakeoff.plot.draw({ width }, {
      ...MARGIN,
      height: HEIGHT,
      x: { type: "linear", domain: [0.4, last + 0.6] },
      y: { type: "log", domain: y.domain },
      marks: [
        ...axes(data, y, width),
        ...lines(model, figure),
        ...stages(model, data),
        Plot.areaY(band, { x: "x", y1: "low", y2: "high", z: "stage", fill: "var(--accent)", fillOpacity: 0.16, clip: true }),
        Plot.dot(dots, { x: "x", y: "y", r: 1.5, fill: "currentColor", fillOpacity: 0.4 }),
        Plot.line(whole, { x: "x", y: "mean", z: "stage", stroke: "var(--accent)", strokeWidth: 1.75, clip: true }),
        Plot.dot(whole, { x: "x", y: "middle", r: 4, fill: "var(--accent)", stroke: "var(--page)", strokeWidth: 1.25, clip: true }),
        Plot.text(data.filter((point) => point.failed), { x: "x", text: () => "✕", frameAnchor: "bottom", dy: -4, fill: "var(--worse)", fontSize: 14 }),
        ...tips(data, y, width),
      ],
    });
    node.setAttribute("role", "img");
    node.setAttribute("aria-label", `${figure.title} of ${whole.length} pairs, candidate over base, in per cent. The pairs are in a table below.`);
    return { node, beyond: all.length - dots.length };
  };

  bakeoff.pairs = { draw, percent, stageOf };
})();

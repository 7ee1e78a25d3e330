// Charts with a strategy a row: names stand beside the rows, or above them where there is little room.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const ROW = 24;
  const NARROW_ROW = 40;
  const TOP = 10;
  const BOTTOM = 40;
  const LIFT = -13;

  const texts = (rows, options) => {
    const { text } = window.Plot;
    const of = (some, weight) =>
      some.length ? [text(some, { y: "key", text: "text", title: "title", fontWeight: weight, lineAnchor: "middle", ...options })] : [];
    return [...of(rows.filter((row) => !row.bold), 400), ...of(rows.filter((row) => row.bold), 600)];
  };

  /**
   * Lay out rows of {key, label, number, header, bold}: names on the left, numbers on the right.
   * Returns options for Plot and the marks that write names and numbers.
   */
  const layout = (view, rows) => {
    const { width, clip } = bakeoff.look;
    const { narrow } = view;
    const widest = (name) => Math.max(0, ...rows.map((row) => width(row[name] ?? "", row.bold)));
    const numbers = widest("number");
    const names = narrow ? view.width - numbers - 32 : Math.min(widest("label"), 300, view.width * 0.36);
    const [left, right] = narrow ? [8, 12] : [names + 20, numbers ? numbers + 22 : 16];
    const written = rows.map((row) => ({ ...row, text: clip(row.label, names, row.bold), title: row.label }));
    const counted = rows.filter((row) => row.number).map((row) => ({ ...row, text: row.number, title: "" }));
    const headers = narrow ? { dy: 0 } : {};
    const lift = narrow ? { dy: LIFT, stroke: "var(--page)", strokeWidth: 3, fill: "currentColor" } : {};
    const start = narrow ? { textAnchor: "start", dx: 0 } : { textAnchor: "end", dx: -12 };
    return {
      options: {
        marginLeft: left,
        marginRight: right,
        marginTop: TOP,
        marginBottom: BOTTOM,
        height: TOP + BOTTOM + rows.length * (narrow ? NARROW_ROW : ROW),
        y: { type: "point", domain: rows.map((row) => row.key), padding: 0.5, axis: null },
      },
      pixels: view.width - left - right,
      lines: window.Plot.ruleY(rows.filter((row) => !row.header), { y: "key", stroke: "var(--line)" }),
      marks: [
        ...texts(written.filter((row) => !row.header), { frameAnchor: "left", ...start, ...lift }),
        ...texts(written.filter((row) => row.header), { frameAnchor: "left", textAnchor: "start", dx: narrow ? 0 : -names - 12, ...headers }),
        ...texts(counted, { frameAnchor: "right", textAnchor: narrow ? "end" : "start", dx: narrow ? 4 : 12, ...lift }),
      ],
    };
  };

  /** The marks of a horizontal axis: ticks below, their lines through the rows, and a label. */
  const axis = (scale, label) => [
    window.Plot.gridX(scale.ticks, { stroke: "var(--line)", strokeOpacity: 1 }),
    window.Plot.axisX(scale.ticks, { anchor: "bottom", text: bakeoff.plot.written(scale), tickSize: 4, label, labelAnchor: "center", labelArrow: "none", labelOffset: 36 }),
  ];

  bakeoff.rows = { layout, axis };
})();

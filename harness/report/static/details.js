// What opens below a row: the strategy's options and note, what did not finish, and the commands that measure it again.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;

  const options = (strategy) => {
    const own = Object.entries(strategy.options).map(([name, value]) => `${name}=${bakeoff.format.value(value)}`);
    const rest = Object.entries(strategy.defaults)
      .filter(([name]) => !(name in strategy.options))
      .map(([name, value]) => `${name}=${bakeoff.format.value(value)}`);
    return [own.join(", "), rest.length ? `by default ${rest.join(", ")}` : ""].filter(Boolean).join("; ");
  };

  const term = (name, text) => (text ? [element("dt", {}, name), element("dd", {}, text)] : []);

  const trouble = ([status, reason, count]) =>
    element("li", {}, `${count} ${bakeoff.format.STATUSES[status] ?? status}: ${reason || "no reason recorded"}`);

  /** What one step, row or round of a phase takes, as in "play: 17.1 ns of CPU time a step (2,000,000)". */
  const share = (own) => {
    const [time, clock] = own.cpu_s === null ? [own.wall_s, "wall"] : [own.cpu_s, "CPU"];
    const parts = [
      time === null ? "" : `${bakeoff.format.figure(time, "s")} of ${clock} time`,
      own.peak_bytes === null ? "" : `${bakeoff.format.scaled(own.peak_bytes, "byte")} of memory`,
    ].filter(Boolean);
    return parts.length
      ? element("p", {}, `${own.phase}: ${parts.join(" and ")} a ${own.unit} (${bakeoff.format.figure(own.times, "")})`)
      : null;
  };

  const inCell = (cell, row) => [
    element("p", {}, `${bakeoff.format.cell(cell)}: ${bakeoff.format.statuses(row.statuses) || "no trial"}`),
    row.chosen ? element("p", {}, `tuning chose ${row.chosen}`) : null,
    row.diverged ? element("p", {}, row.diverged) : null,
    row.work.map(share),
    row.troubles.length ? element("ul", {}, row.troubles.map(trouble)) : null,
    element("pre", {}, element("code", {}, row.command)),
  ];

  /** Build the details of a strategy over the cells shown. */
  bakeoff.details = (task, cells, index) => {
    const strategy = task.strategies[index];
    const rows = cells.map((cell) => [cell, bakeoff.row(cell, index)]).filter(([, row]) => row);
    return element(
      "div",
      { class: "details" },
      strategy.summary ? element("p", {}, strategy.summary) : null,
      element(
        "dl",
        { class: "terms" },
        term("Options", options(strategy)),
        term("Note", strategy.note),
        term("Device", strategy.device),
      ),
      rows.map(([cell, row]) => inCell(cell, row)),
    );
  };
})();

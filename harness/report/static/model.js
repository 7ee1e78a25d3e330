// The rows and columns of a task's table, computed from what the reader has chosen; nothing here touches the page.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { medianOf, meanRanks } = bakeoff.rank;

  const average = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  /** Medians of the cells: the single one, or the smallest and largest with a mean to sort by. */
  const medians = (cells, strategy, measure) => {
    const found = cells.map((cell) => medianOf(cell, strategy, measure.name)).filter((value) => value !== null);
    if (!found.length) return { low: null, high: null, mean: null };
    const logs = measure.cost && found.every((value) => value > 0);
    const mean = logs ? Math.exp(average(found.map(Math.log))) : average(found);
    return { low: Math.min(...found), high: Math.max(...found), mean };
  };

  const column = (task, cells, strategies, state, measure) => {
    const compared = bakeoff.compare(task, cells, state.reference).get(measure.name);
    return new Map(
      strategies.map((own) => [
        own,
        { ...compared.get(own), medians: medians(cells, own, measure), rate: bakeoff.rate(cells, own, measure.name) },
      ]),
    );
  };

  const counted = (cells, strategy) => {
    const counts = {};
    const troubles = [];
    const diverged = [];
    for (const cell of cells) {
      const row = bakeoff.row(cell, strategy);
      for (const [status, count] of Object.entries(row?.statuses ?? {})) counts[status] = (counts[status] ?? 0) + count;
      troubles.push(...(row?.troubles ?? []));
      if (row?.diverged) diverged.push(row.diverged);
    }
    return { counts, troubles, diverged };
  };

  /** What a row is sorted by; null comes last whatever the direction. */
  const sorter = (state, measures) => {
    const at = measures.findIndex((measure) => measure.name === state.sort);
    if (state.sort === "strategy") return (row) => row.label;
    if (state.sort === "trials") return (row) => row.counts.ok ?? 0;
    if (at < 0) return (row) => row.rank.rank;
    if (state.view === "median") return (row) => row.cells[at].medians.mean;
    const none = measures[at].cost ? 1 : 0;
    return (row) => (row.cells[at].verdict === "reference" ? none : row.cells[at].estimate);
  };

  const order = (rows, by, direction) => {
    const sign = direction === "descending" ? -1 : 1;
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
    return rows
      .map((row) => [by(row), row])
      .sort(([a, one], [b, other]) => {
        if (a === null || b === null) return (a === null) - (b === null) || one.strategy - other.strategy;
        return sign * compare(a, b) || one.strategy - other.strategy;
      })
      .map(([, row]) => row);
  };

  /** Columns and sorted rows of a task's table; `blocks` is the largest number behind a figure, by column. */
  bakeoff.model = (index) => {
    const task = bakeoff.payload.tasks[index];
    const state = bakeoff.state.get(index);
    const cells = bakeoff.state.cells(index);
    const measures = task.measures.filter((measure) => state.phases || !bakeoff.state.isPhase(measure));
    const strategies = task.strategies.map((_, at) => at).filter((at) => cells.some((cell) => bakeoff.row(cell, at)));
    const columns = measures.map((measure) => column(task, cells, strategies, state, measure));
    const ranked = state.rank ? meanRanks(task, cells, strategies, state.rank) : new Map();
    const rows = strategies.map((own) => ({
      strategy: own,
      label: task.strategies[own].label,
      rank: ranked.get(own) ?? { rank: null, wanted: 0, missing: 0, imputed: 0 },
      cells: columns.map((found) => found.get(own)),
      ...counted(cells, own),
    }));
    const blocks = measures.map((_, at) => Math.max(0, ...rows.map((row) => row.cells[at].blocks)));
    return { task, state, cells, measures, blocks, rows: order(rows, sorter(state, measures), state.direction) };
  };

  const plain = (row, measure, at, view) => {
    const { medians: own, estimate, low, high, blocks, p, verdict } = row.cells[at];
    return view === "median" ? [own.low, own.high, verdict] : [estimate, low, high, blocks, p, verdict];
  };

  const heading = (measure, view) => {
    const names = view === "median" ? ["least median", "largest median", "verdict"] :
      [measure.cost ? "ratio" : "difference", "low", "high", "blocks", "p", "verdict"];
    return names.map((name) => `${measure.name} ${name}`);
  };

  /** The rows and columns shown, as a table of numbers and texts for a file. */
  bakeoff.rowsOf = ({ task, state, measures, rows }) => [
    ["strategy", "compared with", `rank by ${state.rank}`, "missing results", "trials",
      ...measures.flatMap((measure) => heading(measure, state.view))],
    ...rows.map((row) => [
      row.label,
      task.strategies[state.reference].label,
      row.rank.rank,
      row.rank.missing,
      bakeoff.format.statuses(row.counts),
      ...measures.flatMap((measure, at) => plain(row, measure, at, state.view)),
    ]),
  ];
})();

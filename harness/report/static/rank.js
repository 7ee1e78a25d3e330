// Medians and mean ranks over the selected cells; missing results are penalised, and counted so that the page can say so.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});

  const median = (values) => {
    if (!values.length) return null;
    const sorted = [...values].sort((a, b) => a - b);
    const half = sorted.length >> 1;
    if (sorted.length % 2) return sorted[half];
    return sorted[half - 1] === sorted[half] ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  };

  const present = (values) => (values ?? []).filter((value) => value !== null && value !== undefined);

  /** Median of a measure over the blocks of a cell. */
  const medianOf = (cell, strategy, name) => median(present(bakeoff.row(cell, strategy)?.values[name]));

  /** Ranks from 1 on, smallest first; equal values share the mean of theirs. */
  const ranks = (values) => {
    // Not by subtraction: two infinite values are equal, but their difference is no number.
    const compare = (a, b) => (values[a] > values[b]) - (values[a] < values[b]);
    const order = values.map((_, index) => index).sort(compare);
    const found = [];
    for (let start = 0; start < order.length; ) {
      let end = start;
      while (end + 1 < order.length && values[order[end + 1]] === values[order[start]]) end += 1;
      for (let place = start; place <= end; place += 1) found[order[place]] = (start + end) / 2 + 1;
      start = end + 1;
    }
    return found;
  };

  /** Trials that were started: all but the skipped. */
  const started = (cell, strategy) => {
    const counts = Object.entries(bakeoff.row(cell, strategy)?.statuses ?? {});
    return counts.reduce((sum, [status, count]) => sum + (status === "skipped" ? 0 : count), 0);
  };

  /** The baseline's values, which stand in for a missing metric; a cost that was not paid is not made up. */
  const standIns = (task, cell, measure) => {
    const baseline = task.strategies.findIndex((strategy) => strategy.label === task.baseline);
    return measure.cost || baseline < 0 ? undefined : bakeoff.row(cell, baseline)?.values[measure.name];
  };

  /** What a strategy is ranked by in a cell, smaller is better; what nothing stands in for counts as infinite. */
  const filled = (cell, strategy, measure, others) => {
    const sign = measure.better === "higher" ? -1 : 1;
    const own = bakeoff.row(cell, strategy)?.values[measure.name];
    const values = present(own);
    // What was left out of a cell is missing there as a whole; this is asked only of strategies that ran elsewhere.
    const wanted = started(cell, strategy) || cell.units.length;
    const missing = Math.max(0, wanted - values.length);
    const gaps = cell.units.map((_, unit) => unit).filter((unit) => (own?.[unit] ?? null) === null);
    const filling = gaps.slice(0, missing).map((unit) => others?.[unit] ?? null);
    const known = [...values, ...present(filling)].map((value) => sign * value);
    const imputed = known.length - values.length;
    const last = Array.from({ length: missing - imputed }, () => Infinity);
    return { median: median([...known, ...last]), wanted, missing, imputed };
  };

  /**
   * Mean rank of the strategies over some cells. Returns a Map from strategy to `rank` (null when no trial of it was
   * started), the number of results `wanted`, how many are `missing`, and for how many of these the baseline stands in
   * (`imputed`).
   */
  const meanRanks = (task, cells, strategies, name) => {
    const measure = bakeoff.measure(task, name);
    const found = new Map(strategies.map((own) => [own, { rank: null, wanted: 0, missing: 0, imputed: 0 }]));
    const ranked = strategies.filter((own) => cells.some((cell) => started(cell, own)));
    const measured = cells.filter((cell) => ranked.some((own) => medianOf(cell, own, name) !== null));
    for (const cell of measured) {
      const others = standIns(task, cell, measure);
      const parts = ranked.map((own) => filled(cell, own, measure, others));
      ranks(parts.map((part) => part.median)).forEach((rank, index) => {
        const entry = found.get(ranked[index]);
        entry.rank = (entry.rank ?? 0) + rank / measured.length;
        for (const count of ["wanted", "missing", "imputed"]) entry[count] += parts[index][count];
      });
    }
    return found;
  };

  bakeoff.rank = { median, medianOf, ranks, meanRanks };
})();

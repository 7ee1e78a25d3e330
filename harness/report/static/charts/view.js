// What a chart is drawn from: a task, the reader's choices above the table, and those of the figure itself.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const NARROW = 560;
  const ALL = "*";

  const flipped = (text) => {
    try {
      const found = JSON.parse(text ?? "[]");
      return new Set(Array.isArray(found) ? found : []);
    } catch {
      return new Set();
    }
  };

  /** Key in the address of a choice in a figure. */
  const key = (figure, name) => `${bakeoff.payload.tasks[figure.index].id}:${figure.chart}.${name}`;

  /** Those of some strategies that are shown: the first `limit` and the reference, but for what the reader flipped. */
  const visible = (task, strategies, reference, limit, text) => {
    const usual = new Set(strategies.length > limit + 1 ? strategies.slice(0, limit) : strategies);
    if (strategies.includes(reference)) usual.add(reference);
    if (text === ALL) return [usual, new Set(strategies)];
    const changed = flipped(text);
    return [usual, new Set(strategies.filter((own) => usual.has(own) !== changed.has(task.strategies[own].label)))];
  };

  /** Make a view. Choices that a chart asks for are gathered in `controls` and `legend`, in the order of asking. */
  bakeoff.view = (figure, width) => {
    const { index } = figure;
    const task = bakeoff.payload.tasks[index];
    const state = bakeoff.state.get(index);
    const pairs = bakeoff.hash.read();
    const cells = bakeoff.state.cells(index);
    const view = { index, task, state, cells, width, narrow: width < NARROW, controls: [], legend: null };

    view.metric = (task.measures.find((measure) => !measure.cost) ?? task.measures[0])?.name;
    view.label = (strategy) => task.strategies[strategy]?.label ?? "";

    /** The reader's choice among [value, text] pairs. */
    view.pick = (name, label, options, wanted = options[0][0]) => {
      const offered = (value) => options.some(([own]) => own === value);
      const chosen = pairs.get(key(figure, name));
      const fallback = offered(wanted) ? wanted : options[0][0];
      const value = offered(chosen) ? chosen : fallback;
      if (options.length > 1) view.controls.push({ name, label, options, value, fallback });
      return value;
    };

    /** The reader's choice among the measures of the task. */
    view.measure = (name, label, wanted = () => true, fallback = undefined) => {
      const options = task.measures.filter(wanted).map((measure) => [measure.name, measure.title]);
      return options.length ? bakeoff.measure(task, view.pick(name, label, options, fallback)) : undefined;
    };

    /** The strategies that the reader wants to see, as a set; `notes` and `labels` are for the legend. */
    view.show = (strategies, { limit, notes = new Map(), labels = new Map(), swatch = "marker", folded = false }) => {
      const [usual, shown] = visible(task, strategies, state.reference, limit, pairs.get(key(figure, "shown")));
      const named = strategies.map((own) => ({ strategy: own, label: labels.get(own) ?? view.label(own), note: notes.get(own) ?? "" }));
      view.legend = { entries: named, usual, shown, swatch, folded };
      return shown;
    };

    return view;
  };

  /** Keep a choice of a figure in the address; null is what it is without one. */
  const choose = (figure, name, value) => bakeoff.hash.set({ [key(figure, name)]: value });

  /** Show or hide a strategy, or all that there are. */
  const flip = (figure, strategy) => {
    const { entries, usual, shown } = figure.view.legend;
    const wanted = new Set(shown);
    if (!wanted.delete(strategy)) wanted.add(strategy);
    const changed = entries.filter((own) => usual.has(own.strategy) !== wanted.has(own.strategy));
    const labels = changed.map((own) => figure.view.label(own.strategy));
    choose(figure, "shown", labels.length ? JSON.stringify(labels) : null);
  };

  const showAll = (figure, all) => choose(figure, "shown", all ? ALL : null);

  bakeoff.choices = { choose, flip, showAll };
})();

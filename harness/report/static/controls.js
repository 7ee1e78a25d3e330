// The choices above a table: what is shown, against what, and how.
(() => {
  "use strict";

  const bakeoff = (window.bakeoff ??= {});
  const { element } = bakeoff;

  const NOUNS = { machine: "Machine", dataset: "Data", scenario: "Scenario" };

  let count = 0;

  /** A labelled select. `options` are [value, text] pairs; values are compared as text. */
  const select = (label, options, change) => {
    count += 1;
    const id = `control-${count}`;
    const made = element("select", { id, change: () => change(options[made.selectedIndex][0]) });
    made.append(...options.map(([value, text]) => element("option", { value: String(value) }, text)));
    return { box: element("div", {}, element("label", { for: id }, label), made), select: made, options };
  };

  /** The selects that narrow the cells: [label, options, patch of the state for a value, value in a state]. */
  const filters = (index) => {
    const choices = bakeoff.state.choices(index);
    const all = [bakeoff.state.ALL, "all (mean)"];
    const plain = ["machine", "dataset", "scenario"]
      .filter((name) => choices[name].length > 1)
      .map((name) => ({
        label: NOUNS[name],
        options:
          name === "machine"
            ? choices.machine.map((at) => [at, bakeoff.payload.machines[at].name])
            : [...choices[name].map((value) => [value, value]), all],
        patch: (value) => ({ [name]: value }),
        value: (state) => state[name],
      }));
    const params = Object.entries(choices.params).map(([name, values]) => ({
      label: name,
      options: [...values.map((value) => [value, bakeoff.format.value(value)]), all],
      patch: (value) => ({ params: { [name]: value } }),
      value: (state) => state.params[name],
    }));
    return [...plain, ...params];
  };

  const settings = (index) => {
    const task = bakeoff.payload.tasks[index];
    const field = (name) => ({ patch: (value) => ({ [name]: value }), value: (state) => state[name] });
    return [
      {
        label: "Compared with",
        options: task.strategies.map((strategy, at) => [at, strategy.label]),
        ...field("reference"),
      },
      { label: "Show", options: [["effect", "ratios and differences"], ["median", "medians"]], ...field("view") },
      { label: "Rank by", options: task.measures.map((measure) => [measure.name, measure.title]), ...field("rank") },
    ];
  };

  const phases = (index) => {
    const box = element("input", { type: "checkbox", change: () => bakeoff.state.set(index, { phases: box.checked }) });
    return { box: element("label", { class: "check" }, box, element("span", {}, "phases")), input: box };
  };

  /** Set a select to a state, and say of each option whether anything was run with it. */
  const refresh = (index, own, state, marked) => {
    own.made.select.selectedIndex = own.made.options.findIndex(([value]) => value === own.value(state));
    if (!marked) return;
    own.made.options.forEach(([value, text], at) => {
      const some = bakeoff.state.cells(index, own.patch(value)).length > 0;
      own.made.select.options[at].textContent = some ? text : `${text} (not run with the rest)`;
    });
  };

  /** Build the controls of a task. Returns their element and a function that sets them to the state. */
  bakeoff.controls = (index, save) => {
    const task = bakeoff.payload.tasks[index];
    const make = (own) => ({
      ...own,
      made: select(own.label, own.options, (value) => bakeoff.state.set(index, own.patch(value))),
    });
    const narrowing = filters(index).map(make);
    const setting = settings(index).map(make);
    const check = task.measures.some(bakeoff.state.isPhase) ? phases(index) : null;
    const box = element(
      "div",
      { class: "controls", role: "group", "aria-label": `What the table of ${task.id} shows` },
      narrowing.map((own) => own.made.box),
      setting.map((own) => own.made.box),
      check?.box,
      element("button", { type: "button", class: "save", click: save }, "Save as CSV"),
    );
    const update = () => {
      const state = bakeoff.state.get(index);
      for (const own of narrowing) refresh(index, own, state, true);
      for (const own of setting) refresh(index, own, state, false);
      if (check) check.input.checked = state.phases;
    };
    return { box, update };
  };
})();

// Choose: engine, release, GPU, model, precision; and the answer.
const state = { engine: "", release: "", gpu: "", tp: "1", context: "", concurrency: "1", preset: "", model: "", parameters: "" };
let known = null;
let dropped = false;

function engineNow() {
  return known.engines.find((engine) => engine.id === state.engine) || known.engines[0];
}

function configNow(changed = {}) {
  const config = {};
  if (state.preset) config.preset = state.preset;
  for (const field of known.fields) {
    const value = field.key in changed ? changed[field.key] : state[field.key];
    if (value && !field.key.includes(".")) config[field.key] = value;
  }
  return config;
}

function modelNow() {
  const text = state.model.trim();
  if (dropped) return { checkpoint: "dropped", model: text || undefined };
  if (!text) return {};
  if (!text.startsWith("{")) return { checkpoint: text, model: text };
  try {
    return { checkpoint: JSON.parse(text) };
  } catch (problem) {
    return { problem: `The pasted config is not JSON: ${problem.message}` };
  }
}

function parametersNow() {
  const out = {};
  for (const word of state.parameters.split(/\s+/).filter(Boolean)) {
    const at = word.indexOf("=");
    if (at < 0) out[word.replace(/^-+/, "")] = true;
    else out[word.slice(0, at).replace(/^-+/, "")] = word.slice(at + 1);
  }
  return out;
}

// The flag by which this release takes the number of GPUs that share each layer, asked of the core itself.
const flagsOfGpus = new Map();

function flagOfGpus() {
  const place = `${state.engine}@${state.release}`;
  if (!flagsOfGpus.has(place)) {
    const field = known.fields.find((one) => one.key.endsWith(".tensor_parallel_size"));
    const [section, key] = field.key.split(".");
    const found = ask("explain", { runtime: state.engine, engine_version: state.release, quant_config: { [section]: { [key]: 2 } } });
    const flag = found.answer && Object.entries(found.answer.args).find(([, value]) => value === "2");
    flagsOfGpus.set(place, flag ? flag[0].replace(/^-+/, "") : "");
  }
  return flagsOfGpus.get(place);
}

function questionNow(changed) {
  const parameters = parametersNow();
  if (Number(state.tp) > 1 && flagOfGpus()) parameters[flagOfGpus()] ??= state.tp;
  const question = { runtime: state.engine, engine_version: state.release, quant_config: configNow(changed), user_parameters: parameters };
  if (state.gpu.trim()) question.gpu = state.gpu.trim();
  const { checkpoint, model } = modelNow();
  if (checkpoint !== undefined) question.checkpoint = checkpoint;
  if (model) question.model = model;
  return question;
}

function showAnswer() {
  const place = byId("answer");
  const { problem } = modelNow();
  const question = questionNow();
  const found = problem ? { errors: [{ message: problem }] } : ask("explain", question);
  if (found.errors) {
    place.replaceChildren(el("h2", {}, "No launch"), errorsShown(found.errors));
    return;
  }
  const mapping = found.answer;
  const list = mapping.decisions.filter((one) => one.given || kindOf(one.outcome) !== "good");
  place.replaceChildren(
    el("h2", {}, `Launch of ${mapping.engine_name} ${mapping.version}`),
    el("pre", { id: "launch", tabindex: "0" }, mapping.line),
    copyButton("Copy the line", mapping.line),
    copyButton("Copy the arguments as JSON", JSON.stringify(mapping.args)),
    copyButton("Copy a link to this", location.href),
    ...Object.entries(mapping.files).flatMap(([name, text]) => [el("h2", {}, `The file ${name}`), el("pre", {}, text)]),
    el("h2", {}, "What became of each setting"),
    list.length ? el("ul", { class: "plain", id: "decisions" }, ...list.map(decisionShown)) : el("p", { class: "soft" }, "Nothing was asked; the engine and the model decide."),
    ...precisionShown(mapping.precision),
    ...memoryShown(question),
    ...notesShown(mapping.diagnostics),
  );
}

function decisionShown(one) {
  const emitted = Object.entries(one.emitted).map(([flag, value]) => (value === true ? flag : `${flag} ${value}`)).join(" ");
  return el("li", {}, marked(one.outcome), ` ${one.field} ${one.asked} `, emitted ? el("code", {}, `→ ${emitted}`) : null,
    el("span", { class: "why" }, one.sentence));
}

function precisionShown(precision) {
  const rows = Object.entries(precision);
  if (!rows.length) return [];
  return [el("h2", {}, "What really runs"), el("table", {}, el("tbody", {}, ...rows.map(([of, is]) =>
    el("tr", {}, el("th", { scope: "row" }, of), el("td", {}, is)))))];
}

function notesShown(diagnostics) {
  const told = diagnostics.filter((item) => item.severity !== "info");
  if (!told.length) return [];
  return [el("h2", {}, "Notes"), el("ul", { class: "plain" }, ...told.map((item) =>
    el("li", {}, el("span", { class: item.severity === "error" ? "bad" : "turned" }, item.severity), ` ${item.message}`)))];
}

function memoryShown(question) {
  if (question.checkpoint === undefined) return [el("h2", {}, "Memory"), el("p", { class: "soft" }, "Paste the model's config.json, or open its files, to see whether it fits.")];
  const number = (text) => (text.trim() ? Number(text) : undefined);
  const found = ask("fit", { ...question, tp: number(state.tp), context: number(state.context), concurrency: number(state.concurrency) });
  if (found.errors) return [el("h2", {}, "Memory"), errorsShown(found.errors)];
  const fit = found.answer;
  const parts = [
    ["weights", "weights", fit.weight_bytes], ["active", "activations and buffers", fit.activation_bytes],
    ["cache", "room for the KV cache", fit.kv_budget_bytes], ["free", "left free by the engine", fit.kept_free_bytes],
  ];
  const whole = Math.max(fit.memory_bytes || 0, parts.reduce((sum, part) => sum + part[2], 0)) || 1;
  const verdicts = { fits: ["✓ fits", "good"], "fits-with-less-context": ["↓ fits with less context", "turned"], "does-not-fit": ["✗ does not fit", "bad"] };
  const [word, colour] = verdicts[fit.verdict] || ["name a GPU for a verdict", "soft"];
  const described = parts.map(([, name, bytes]) => `${name} ${inGb(bytes)}`).join(", ");
  return [
    el("h2", {}, "Memory of each GPU"),
    el("p", { id: "fit" }, el("strong", { class: colour }, word), fit.memory_bytes ? ` on ${fit.gpu || "the GPU"} with ${inGb(fit.memory_bytes)}: ${fit.sequences} sequences of ${fit.context} tokens, or ${fit.concurrency} of ${fit.longest_context}` : ""),
    el("div", { class: "bar", role: "img", "aria-label": described }, ...parts.map(([kind, , bytes]) => {
      const piece = el("span", { class: kind });
      piece.style.width = `${(bytes / whole) * 100}%`;
      return piece;
    })),
    el("ul", { class: "legend" }, ...parts.map(([kind, name, bytes]) => el("li", {}, el("i", { class: kind }), `${name} ${inGb(bytes)}`)),
      el("li", {}, `needed for the cache: ${inGb(fit.kv_needed_bytes)}`)),
    el("details", {}, el("summary", {}, `${fit.assumptions.length} assumptions behind these numbers`), el("ul", {}, ...fit.assumptions.map((text) => el("li", {}, text)))),
  ];
}

const fourFields = () => known.fields.filter((field) => !field.key.includes(".") && field.form === known.presets[0].form);

function showChips() {
  byId("presets").replaceChildren(...known.presets.map((preset) => chip("preset", preset.id, state.preset === preset.id, "", preset.use_case)));
  byId("fields").replaceChildren(...fourFields().map((field) => el("fieldset", {}, el("legend", {}, field.label),
    el("div", { class: "chips" }, ...field.options.map((option) => chip(field.key, option, state[field.key] === option, "", ""))))));
  judgeLater();
}

// What would become of each value: asked one by one after the answer is there, so that no change has to wait for it.
let judging = 0;

function judgeLater() {
  const waiting = fourFields().flatMap((field) => field.options.map((option) => [field.key, option]));
  judging += 1;
  const turn = judging;
  const step = () => {
    const until = performance.now() + 8;
    while (waiting.length && performance.now() < until) judge(...waiting.shift());
    if (waiting.length && turn === judging) setTimeout(() => turn === judging && step());
    else if (turn === judging) byId("fields").dataset.judged = String(turn);
  };
  setTimeout(() => turn === judging && step());
}

function judge(key, option) {
  const found = ask("explain", questionNow({ [key]: option }));
  const one = found.answer && found.answer.decisions.find((item) => item.field === key);
  const shown = document.querySelector(`#fields [data-key="${key}"][data-value="${option}"]`);
  const fresh = chip(key, option, state[key] === option, one ? one.outcome : "dropped", one ? one.sentence : found.errors[0]?.message);
  const focused = document.activeElement === shown;
  shown.replaceWith(fresh);
  if (focused) fresh.focus();
}

function chip(key, value, pressed, outcome, why) {
  const [sign] = SIGNS[kindOf(outcome)];
  return el("button", {
    type: "button", class: `chip ${kindOf(outcome) === "bad" ? "refused" : ""}`, "aria-pressed": String(pressed),
    title: why || false, "data-key": key, "data-value": value,
    onclick: () => { change({ [key]: pressed ? "" : value }, `[data-key="${key}"][data-value="${value}"]`); },
  }, outcome ? el("span", { class: "sign" }, sign) : null, el("span", { class: "name" }, value), outcome && kindOf(outcome) !== "good" ? el("span", {}, ` ${outcome}`) : null);
}

// The answer to a choice: the launch, what really runs, what became of each setting, and the memory that it takes.
const partName = (of) => (Object.hasOwn(known.parts, of) ? known.parts[of][0].toUpperCase() + known.parts[of].slice(1) : of);
const FITS = {
  fits: "✓ fits", tight: "↓ fits, but it is tight", "fits-with-less-context": "↓ fits with less context",
  "does-not-fit": "✗ does not fit", refused: "✗ refused", unknown: "",
};

function showAnswer() {
  const { problem } = modelNow();
  const question = questionNow();
  const found = problem ? { errors: [{ message: problem }] } : ask("explain", question);
  if (found.errors) {
    fill(byId("answer"), card("There is no launch for this", errorsShown(found.errors)));
    byId("glance").textContent = "✗ no launch for this";
    return;
  }
  const mapping = found.answer;
  const fit = fitNow(question);
  const list = mapping.decisions.filter((one) => one.given || kindOf(one.outcome) !== "good");
  byId("glance").textContent = glanceOf(mapping, list, fit.answer);
  fill(
    byId("answer"),
    launchShown(mapping, list, fit.answer),
    precisionShown(mapping.precision),
    card("What became of each setting", list.length ? el("ul", { class: "plain", id: "decisions" }, ...list.map(decisionShown))
      : el("p", { class: "soft" }, "You chose nothing, so the engine and the model decide.")),
    memoryShown(question, fit),
    notesShown(mapping.diagnostics, new Set(list.map((one) => one.sentence)), mapping.not_looked_at),
  );
}

const problemsOf = (mapping) => mapping.diagnostics.filter((item) => item.severity === "error");

// One line of it, for a phone and for a screen reader.
function glanceOf(mapping, list, fit) {
  const less = list.filter((one) => kindOf(one.outcome) === "turned").length;
  const not = list.filter((one) => kindOf(one.outcome) === "bad").length;
  return [
    `${problemsOf(mapping).length ? "✗ refused by" : "✓"} ${mapping.engine_name} ${mapping.version}`,
    less ? `${count(less, "setting")} less than asked` : "", not ? `${not} not taken` : "", fit ? FITS[fit.verdict].slice(2) : "",
  ].filter(Boolean).join(" · ");
}

function launchShown(mapping, list, fit) {
  const refused = problemsOf(mapping);
  const shown = [
    refused.length ? badge("refused", "bad") : badge("nothing refused", "good"),
    ...["turned", "bad"].map((kind) => [kind, list.filter((one) => kindOf(one.outcome) === kind).length])
      .filter(([, number]) => number).map(([kind, number]) => badge(kind === "bad" ? `${number} not taken` : `${number} less than asked`, kind)),
    fit && FITS[fit.verdict] ? badge(FITS[fit.verdict].slice(2), kindOf(fit.verdict)) : null,
  ];
  return el("section", { class: "card" },
    el("div", { class: "head" }, el("h2", {}, `${mapping.engine_name} ${mapping.version}`), el("div", { class: "chips" }, ...shown.filter(Boolean))),
    el("pre", { id: "launch", tabindex: "0" }, ...unbroken(mapping.line)),
    el("div", { class: "acts" }, copyButton("Copy the line", mapping.line, true), copyButton("Copy as JSON", JSON.stringify(mapping.args)),
      copyButton("Copy a link to this", location.href), docs("command-line.html", "How to use it")),
    ...Object.entries(mapping.files).flatMap(([name, text]) => [el("p", { class: "why" }, `The file ${name}`), el("pre", {}, text)]));
}

function decisionShown(one) {
  const emitted = Object.entries(one.emitted).map(([flag, value]) => (value === true ? flag : `${flag} ${value}`)).join(" ");
  return el("li", {}, badge(one.outcome), el("span", {}, el("strong", {}, `${one.field} ${one.asked}`), emitted ? el("code", {}, " → ", ...unbroken(emitted)) : null),
    el("span", { class: "why" }, one.sentence));
}

function precisionShown(precision) {
  const rows = Object.entries(precision);
  if (!rows.length) return null;
  return card("What really runs", el("dl", { class: "tiles" }, ...rows.map(([of, is]) => el("div", {}, el("dt", {}, partName(of)), el("dd", {}, is)))));
}

function notesShown(diagnostics, told, skipped = []) {
  const notes = diagnostics.filter((item) => item.severity !== "info" && !told.has(item.message));
  const asked = { gpu: "Name a GPU", checkpoint: "Give the model", model_quantization: "Give the model" };
  const open = new Map();  // what to do → what would be judged then
  for (const { what, give } of skipped) open.set(asked[give], [...(open.get(asked[give]) || []), what]);
  const rows = [
    ...notes.map((item) => el("li", {}, badge(item.severity, item.severity === "error" ? "bad" : "turned"), el("span", {}, item.message))),
    ...[...open].map(([act, what]) => el("li", {}, badge("not judged", "plain"), el("span", {}, what.join(", ")), act ? el("span", { class: "why" }, `${act} to have it judged.`) : null)),
  ];
  return rows.length ? card("To know", el("ul", { class: "plain" }, ...rows)) : null;
}

function fitNow(question) {
  if (question.checkpoint === undefined) return {};
  const number = (text) => (text.trim() ? Number(text) : undefined);
  return ask("fit", { ...question, tp: number(state.tp), context: number(state.context), concurrency: number(state.concurrency) });
}

// What somebody sees who has no model at hand.
const EXAMPLE = { model: "Qwen/Qwen3-235B-A22B", gpu: "H200", tp: "8", preset: "dynamic-fp8" };

// Takes a cure over: as many GPUs, or one more argument.
function takeCure(cure) {
  const [flag, value] = cure.replace(/^-+/, "").split(" ");
  const words = [flag, value].filter(Boolean).join("=");
  change(flag === flagOfGpus() ? { tp: value } : { context: "", parameters: [state.parameters.trim(), words].filter(Boolean).join(" ") });
}

function memoryShown(question, found) {
  if (question.checkpoint === undefined) {
    return card("Memory of each GPU", el("p", { class: "soft" }, "Name a model, paste its config.json or open its files to see whether it fits."),
      el("div", { class: "acts" }, el("button", { type: "button", class: "act", id: "example", onclick: () => change(EXAMPLE, "#launch") }, "Show an example")));
  }
  if (found.errors) {
    const text = found.errors.map((item) => item.message).join("; ") || "The shape of this model is not known: paste its config.json or open its files.";
    return card("Memory of each GPU", el("p", { class: "soft" }, text));
  }
  const fit = found.answer;
  const asked = Math.min(fit.kv_needed_bytes, fit.kv_budget_bytes);
  const parts = [
    ["weights", "weights", fit.weight_bytes], ["active", "activations and buffers", fit.activation_bytes], ["graphs", "CUDA graphs", fit.graph_bytes],
    ["cache", "KV cache that you asked for", asked], ["room", "room for more KV cache", fit.kv_budget_bytes - asked], ["free", "left alone by the engine", fit.kept_free_bytes],
  ].filter((part) => part[2] > 0);
  const used = parts.reduce((sum, part) => sum + part[2], 0);
  const whole = Math.max(fit.cuda_bytes || fit.memory_bytes || 0, used) || 1;
  const share = (bytes) => `${(bytes / whole) * 100}%`;
  const pieces = parts.map(([kind, name, bytes]) => {
    const piece = el("span", { class: kind }, bytes / whole > 0.13 ? inGb(bytes) : "");
    piece.style.width = share(bytes);
    return piece;
  });
  const [low, high] = fit.kv_budget_band;
  const begin = used - fit.kept_free_bytes - fit.kv_budget_bytes;
  const about = fit.memory_bytes ? bandShown(Math.max(0, begin + fit.kv_budget_bytes - high), begin + fit.kv_budget_bytes - low, share) : null;
  const described = `${parts.map(([, name, bytes]) => `${name} ${inGb(bytes)}`).join(", ")}; room for the KV cache is ${inGb(low)} to ${inGb(high)}`;
  return card("Memory of each GPU",
    el("p", { id: "fit" }, FITS[fit.verdict] ? el("strong", { class: SIGNS[kindOf(fit.verdict)][1] }, FITS[fit.verdict]) : "Name a GPU for a verdict.", fitWords(fit)),
    el("div", { class: "bar", role: "img", "aria-label": described }, ...pieces, about),
    el("p", { class: "scale", "aria-hidden": "true" }, ...[0, 1, 2, 3, 4].map((step) => el("span", {}, inGb((whole * step) / 4)))),
    el("ul", { class: "legend" }, ...parts.map(([kind, name, bytes]) => el("li", {}, el("i", { class: kind }), name, el("b", {}, inGb(bytes)))),
      about ? el("li", {}, el("i", { class: "band" }), "how far the estimate may be off", el("b", {}, `${inGb(low)} – ${inGb(high)}`)) : null),
    fit.cures.length && fit.verdict !== "fits" ? el("div", { class: "acts" }, "It fits with", ...fit.cures.map((cure) => el("button", { type: "button", class: "act", onclick: () => takeCure(cure) }, cure))) : null,
    fit.not_counted.length ? el("p", { class: "why" }, `Not counted: ${fit.not_counted.join(", ")}`) : null,
    el("details", {}, el("summary", {}, `${count(fit.assumptions.length, "assumption")} behind these numbers`), el("ul", {}, ...fit.assumptions.map((text) => el("li", {}, text)))));
}

// Where the room for the KV cache begins is known to this band only.
function bandShown(from, to, share) {
  const band = el("span", { class: "band" });
  band.style.left = share(from);
  band.style.width = share(to - from);
  return band;
}

function fitWords(fit) {
  if (!fit.memory_bytes) return null;
  const [low, high] = fit.tokens_band;
  const place = ` on ${fit.gpu || "this GPU"}.`;
  if (!fit.tokens) return place;
  const whole = (number) => number.toLocaleString("en");
  const longest = fit.longest_context === fit.context ? "" : ` With ${fit.concurrency} at a time, each may have up to ${whole(fit.longest_context)} tokens.`;
  return `${place} Room for ${whole(fit.tokens)} tokens (${whole(low)} to ${whole(high)}): ${count(fit.sequences, "sequence")} of ${whole(fit.context)} tokens at a time.${longest}`;
}

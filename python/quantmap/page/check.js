// Check a launch line that somebody has.
function showVerdicts() {
  const place = byId("verdicts");
  const line = byId("line").value;
  if (!line.trim()) {
    place.replaceChildren(el("p", { class: "soft" }, "Paste a line that starts a server; each of its arguments is judged by the release's own rules."));
    return;
  }
  const question = { command: line };
  for (const [key, id] of [["engine", "check-engine"], ["engine_version", "check-release"], ["gpu", "check-gpu"]]) {
    const value = byId(id).value.trim();
    if (value) question[key] = value;
  }
  const found = ask("check", question);
  if (found.errors) {
    place.replaceChildren(el("h2", {}, "This line cannot be judged"), errorsShown(found.errors));
    return;
  }
  const { verdicts, notes, engine_name: name, version } = found.answer;
  const refused = verdicts.filter((one) => one.refused).length;
  const whole = notes.filter((one) => one.severity === "error");
  const bad = refused > 0 || whole.length > 0;
  place.replaceChildren(
    el("h2", {}, `${name} ${version}`),
    el("p", { id: "judged" }, el("strong", { class: bad ? "bad" : "good" }, bad ? "✗ refused" : "✓ accepted"), ` ${refused} of ${verdicts.length} arguments refused`),
    el("ul", { class: "plain" }, ...verdicts.map((one) => el("li", {}, marked(one.verdict), " ", el("code", {}, `${one.argument} ${one.value}`.trim()),
      one.reason ? el("span", { class: "why" }, one.reason) : null, one.hint ? el("span", { class: "why" }, `instead: ${one.hint}`) : null))),
    ...notesShown(notes),
  );
}

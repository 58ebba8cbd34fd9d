// Building what is shown. Text is only ever set as text, so nothing that a file holds can become markup.
function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

function drawn(tag, properties, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function fill(place, ...children) {
  place.replaceChildren(...children.filter((child) => child != null));
}

const byId = (id) => document.getElementById(id);

// An outcome or verdict: a sign, a word and a colour.
const SIGNS = {
  good: ["✓", "good"], turned: ["↓", "turned"], bad: ["✗", "bad"], plain: ["–", "soft"],
};
const KINDS = {
  applied: "good", renamed: "good", accepted: "good", "no-effect": "turned", degraded: "turned", "falls-back": "turned",
  ignored: "turned", assumed: "turned", "fails-later": "turned", deprecated: "turned", "known-trouble": "turned",
  nothing: "plain", "not-needed": "plain", dropped: "bad", "cannot-serve": "bad", "unknown-flag": "bad",
  "value-not-accepted": "bad", "refused-at-start": "bad",
};
const kindOf = (word) => KINDS[word] || "plain";

function marked(word) {
  const [sign, colour] = SIGNS[kindOf(word)];
  return el("span", { class: colour }, `${sign} ${word}`);
}

function errorsShown(errors) {
  return el("ul", { class: "plain" }, ...errors.map((item) =>
    el("li", {}, el("span", { class: "bad" }, "✗ "), item.message, item.hint ? el("span", { class: "why" }, item.hint) : null)));
}

function copyButton(name, text) {
  const button = el("button", { type: "button", class: "act" }, name);
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select the line and copy it";
    }
    setTimeout(() => { button.textContent = name; }, 1500);
  });
  return button;
}

const grouped = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const inGb = (bytes) => `${grouped.format(bytes / 1e9)} GB`;

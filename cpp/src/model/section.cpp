#include "model/section.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "quantmap/base/text.hpp"
#include "quantmap/catalog/catalog.hpp"

namespace quantmap {

namespace {

using Steps = std::span<const std::string_view>;
using Nodes = std::vector<const Value*>;

// Members or items of a value; nothing of what has none.
void add_inner(const Value& value, Nodes& out) {
  for (const auto& [key, member] : value.members()) out.push_back(&member);
  for (const Value& item : value.items()) out.push_back(&item);
}

// Everything that a place leads to: one step after the other over all that was reached.
Nodes reach(Nodes from, Steps at) {
  for (const std::string_view step : at) {
    Nodes next;
    for (const Value* value : from) {
      if (step == "*") {
        add_inner(*value, next);
      } else if (const Value* found = value->find(step); found != nullptr) {
        next.push_back(found);
      }
    }
    from = std::move(next);
  }
  return from;
}

// As the catalogue writes it; empty for null, a list or an object.
std::string said(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kBoolean: return value.as_boolean() ? "true" : "false";
    case Value::Kind::kInteger: return value.as_text();
    case Value::Kind::kText: return lower(value.as_text());
    default: return {};
  }
}

bool is_filled(const Value& value) {
  return !value.is_null() && (!value.is_object() || !value.members().empty()) &&
         (!value.is_array() || !value.items().empty());
}

bool fits(const SectionTerm& term, const Value& value) {
  if (term.values.empty()) return is_filled(value);
  const std::string word = said(value);
  const bool listed = std::find(term.values.begin(), term.values.end(), word) != term.values.end();
  return !word.empty() && listed != term.others;
}

bool holds(const SectionTerm& term, const Value& node) {
  const Nodes found = reach({&node}, term.at);
  const bool some = std::any_of(found.begin(), found.end(), [&term](const Value* value) { return fits(term, *value); });
  return some != term.absent;
}

bool holds(const SectionFact& fact, const Value& section) {
  const Nodes nodes = reach({&section}, fact.in);
  return std::any_of(nodes.begin(), nodes.end(), [&fact](const Value* node) {
    return std::all_of(fact.terms.begin(), fact.terms.end(),
                       [node](const SectionTerm& term) { return holds(term, *node); });
  });
}

}  // namespace

std::uint64_t read_section(const Value& section) {
  // ModelOpt's own file has one more level.
  const Value* inner = section.find("quantization");
  const Value& top = inner != nullptr && inner->is_object() ? *inner : section;
  std::uint64_t out = 0;
  const auto& facts = catalog().section_facts;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (holds(facts[i], top)) out |= std::uint64_t{1} << i;
  }
  return out;
}

}  // namespace quantmap

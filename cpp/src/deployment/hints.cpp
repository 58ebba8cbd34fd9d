#include "deployment/hints.hpp"

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

// Whether a documented row emits this value to the target.
bool emits(const MappingRule& row, FieldId field, std::uint8_t target, std::string_view value) {
  for (const Alternative& candidate : row.candidates) {
    for (const Assignment& emission : candidate.emissions) {
      if (emission.target != target) continue;
      if (!emission.asked) return emission.text == value;
      const int option = find_option(field_info(field), value);
      return option >= 0 && ((row.options >> static_cast<unsigned>(option)) & 1U) != 0;
    }
  }
  return false;
}

}  // namespace

std::string_view instead_of(const Engine& engine, std::string_view flag, std::optional<std::string_view> value) {
  const RowSet& table = engine.documented;
  for (std::size_t field = 0; field < table.ranges.size(); ++field) {
    for (std::size_t i = table.ranges[field].begin; i < table.ranges[field].end; ++i) {
      for (const NeverAccepted& mark : table.rows[i].never_accepted) {
        if (table.targets[mark.target].routes.front().name != flag) continue;
        if (!value || emits(table.rows[i], static_cast<FieldId>(field), mark.target, *value)) return mark.instead;
      }
    }
  }
  return {};
}

std::string with_verb(std::string_view use) {
  return use.substr(0, 2) == "--" ? "use " + std::string(use) : std::string(use);
}

std::string switch_alone(const ArgumentSchema& surface, const std::string& flag, std::string_view value,
                         ReleaseNumber release) {
  if (lower(value) != "false" || flag.size() < 3) return "write " + flag + " alone";
  const std::string off = "--no-" + flag.substr(2);
  return find_flag(surface, off, release) ? "write " + off : "leave it out";
}

std::string new_variable_name(const Engine& engine, std::string_view name, ReleaseNumber release) {
  const OldVariables& old = engine.old_variables;
  if (old.from.empty() || release < old.since || name.substr(0, old.from.size()) != old.from) return {};
  std::string out(old.to);
  out += name.substr(old.from.size());
  return has_variable(engine.surface, out, release) ? out : std::string();
}

std::string variable_history(const ArgumentSchema& surface, std::string_view name, ReleaseNumber release) {
  for (const Variable& variable : surface.variables) {
    if (variable.name != name) continue;
    const bool gone = variable.until <= release;
    const std::string version(surface.releases[gone ? variable.until - 1U : variable.since].version);
    return gone ? "; " + version + " was the last to do so" : " (added in " + version + ")";
  }
  return {};
}

}  // namespace quantmap

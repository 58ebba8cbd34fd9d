// Experiments as JSON lines: a million of them are written piece by piece, and nothing is kept.
#include <charconv>

#include "plan/part.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

void append_number(std::uint64_t number, std::string& out) {
  char digits[20];
  const auto [end, error] = std::to_chars(std::begin(digits), std::end(digits), number);
  static_cast<void>(error);
  out.append(digits, end);
}

std::string ground_of(const PlanTarget& target) {
  const Engine& engine = *target.engine;
  const std::string version = target.deployment.checked
                                  ? json(engine.surface.releases[target.deployment.release].version)
                                  : std::string("null");
  return "\"engine\":" + json(engine.id) + ",\"version\":" + version;
}

}  // namespace

LineText TargetPlan::line_text(const LaunchClass& item) const {
  LineText out;
  out.of = &item;
  out.head = "\"," + ground_of(target_) + ",\"args\":{";
  std::vector<bool> derived(choices_->flags().size(), false);
  for (std::size_t i = 0; i < item.arguments.size(); ++i) {
    const Argument& argument = item.arguments[i];
    LinePiece piece{json(argument.flag) + ":", json_text(argument.value), item.flag_of[i], -1};
    if (argument.kind == ChannelKind::kEnv) {
      out.env += (out.env.empty() ? "" : ",") + piece.name + piece.text;
      continue;
    }
    if (piece.flag >= 0) derived[static_cast<std::size_t>(piece.flag)] = true;
    for (const LaunchFile& file : item.files) {
      if (file.through != argument.flag) continue;
      out.files.push_back({json(file.name) + ":", json(sha256_hex(file.text)), piece.flag, -1});
    }
    out.arguments.push_back(std::move(piece));
  }
  for (std::size_t axis = 0; axis < choices_->axis_count(); ++axis) {
    const std::size_t flag = choices_->flag_of(axis);
    if (derived[flag]) continue;
    out.arguments.push_back(
        {json(choices_->spelling(axis)) + ":", {}, static_cast<int>(flag), static_cast<int>(depth_of_[axis])});
  }
  return out;
}

void TargetPlan::append_line(const PlanCursor& place, Count index, std::uint64_t group_begin, LineText& text,
                             std::string& out) const {
  const LaunchClass& item = classes_[place.in_class];
  if (text.of != &item) text = line_text(item);
  const auto append = [&out](const LinePiece& piece, const std::string& value) {
    if (out.back() != '{') out += ',';
    out += piece.name;
    out += value;
  };
  out += "{\"index\":";
  append_number(index, out);
  out += ",\"signature\":\"";
  digest(place).append_hex(out);
  out += text.head;
  for (const LinePiece& piece : text.arguments) {
    if (piece.flag < 0) {
      append(piece, piece.text);
      continue;
    }
    const DistinctValue& taken = leaf(place, static_cast<std::size_t>(piece.flag));
    if (taken.is_null) {
      if (!piece.text.empty()) append(piece, piece.text);
    } else if (piece.spelt_by < 0 || static_cast<std::uint32_t>(piece.spelt_by) == taken.spelt_by) {
      append(piece, taken.text);
    }
  }
  out += "},\"env\":{";
  out += text.env;
  out += "},\"files\":{";
  for (const LinePiece& piece : text.files) {
    if (piece.flag < 0 || leaf(place, static_cast<std::size_t>(piece.flag)).is_null) append(piece, piece.text);
  }
  out += "},\"group\":";
  append_number(group_begin + group(place), out);
  out += ",\"points\":";
  append_number(points(place), out);
  out += "}\n";
}

void TargetPlan::append_groups(const LaunchClass& item, std::uint64_t group_begin, std::string& out) const {
  for (std::size_t i = 0; i < item.new_subsets.size(); ++i) {
    const Group content = group_content(item.group_begin + i);
    out += "{\"group\":";
    append_number(group_begin + item.group_begin + i, out);
    out += "," + ground_of(target_) + ",\"configs\":[";
    for (const auto& [config, weight] : content.configs) {
      if (out.back() != '[') out += ',';
      out += "{\"config\":" + write_json(config) + ",\"points\":";
      append_number(weight, out);
      out += '}';
    }
    out += "],\"files\":{";
    for (const LaunchFile& file : item.files) {
      if (out.back() != '{') out += ',';
      out += json(file.name) + ":" + json(file.text);
    }
    out += "}}\n";
  }
}

}  // namespace quantmap

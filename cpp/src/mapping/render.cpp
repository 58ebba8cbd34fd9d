#include "quantmap/mapping/render.hpp"

#include <algorithm>
#include <charconv>

#include "base/letters.hpp"
#include "quantmap/base/json_io.hpp"
#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

// A tree under construction; children keep the order in which they were named.
struct Node {
  std::vector<std::string> keys;
  std::vector<Node> children;  // by key
  Value leaf;

  Node& at(std::string_view path) {
    if (path.empty()) return *this;
    path.remove_prefix(1);  // the slash
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string key(path.substr(0, end));
    const auto found = std::find(keys.begin(), keys.end(), key);
    const auto index = static_cast<std::size_t>(found - keys.begin());
    if (found == keys.end()) {
      keys.push_back(key);
      children.emplace_back();
    }
    return children[index].at(path.substr(end));
  }

  // Children named 0, 1, 2 ... are the items of a list.
  [[nodiscard]] Value value() const {
    if (children.empty()) return leaf;
    const bool list = keys.front() == "0";
    Value out = list ? Value::array() : Value::object();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (list) {
        out.append(children[i].value());
      } else {
        out.set(keys[i], children[i].value());
      }
    }
    return out;
  }
};

Value leaf_of(const Argument& argument) {
  if (argument.is_null) return {};
  if (const bool* flag = std::get_if<bool>(&argument.value)) return Value::boolean(*flag);
  if (const std::int64_t* number = std::get_if<std::int64_t>(&argument.value)) {
    return Value::integer(std::to_string(*number));
  }
  return Value::text(std::get<std::string>(argument.value));
}

// Whether a reader of YAML would take the plain text for something else than a text.
bool means_more_in_yaml(const std::string& text) {
  static constexpr std::string_view kWords[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  if (std::find(std::begin(kWords), std::end(kWords), lower(text)) != std::end(kWords)) return true;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool plain_in_yaml(const std::string& text) {
  return !text.empty() && !means_more_in_yaml(text) && (is_letter(text.front()) || text.front() == '_') &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_alnum_or(c, "_-./"); });
}

std::string yaml_text(const std::string& text) {
  if (plain_in_yaml(text)) return text;
  std::string out;
  append_json_string(out, text, true);
  return out;
}

std::string yaml_scalar(const Value& value) {
  if (value.is_text()) return yaml_text(value.as_text());
  if ((value.is_object() && value.members().empty()) || (value.is_array() && value.items().empty())) {
    return value.is_object() ? "{}" : "[]";
  }
  return write_json(value);
}

bool is_block(const Value& value) {
  return (value.is_object() && !value.members().empty()) || (value.is_array() && !value.items().empty());
}

void write_block(const Value& value, std::size_t indent, bool first_inline, std::string& out) {
  const auto start = [&](bool first) {
    if (!(first && first_inline)) out.append(indent, ' ');
  };
  bool first = true;
  if (value.is_array()) {
    for (const Value& item : value.items()) {
      start(first);
      first = false;
      out += "- ";
      if (is_block(item)) {
        write_block(item, indent + 2, true, out);
      } else {
        out += yaml_scalar(item) + "\n";
      }
    }
    return;
  }
  for (const auto& [key, item] : value.members()) {
    start(first);
    first = false;
    out += yaml_text(key) + ":";
    if (is_block(item)) {
      out += "\n";
      write_block(item, indent + 2, false, out);
    } else {
      out += " " + yaml_scalar(item) + "\n";
    }
  }
}

const BuiltinFile* find_builtin(const Mapping& mapping, const std::string& content) {
  if (!mapping.deployment.checked) return nullptr;
  for (const BuiltinFile& file : mapping.engine->checked.files) {
    if (file.content == content && covers(file.since, file.until, mapping.deployment.release)) return &file;
  }
  return nullptr;
}

}  // namespace

void assemble(Mapping& mapping) {
  struct Whole {
    std::size_t index;
    Node tree;
  };
  std::vector<Whole> wholes;
  std::vector<Argument> kept;
  for (Argument& argument : mapping.arguments) {
    if (argument.at.empty()) {
      kept.push_back(std::move(argument));
      continue;
    }
    const std::string name(argument.kind == ChannelKind::kFile ? argument.through : std::string_view(argument.flag));
    auto whole = std::find_if(wholes.begin(), wholes.end(), [&](const Whole& w) { return kept[w.index].flag == name; });
    if (whole == wholes.end()) {
      Argument combined;
      combined.flag = name;
      combined.from = argument.from;
      combined.value = argument.flag;
      combined.through = argument.through;
      whole = wholes.insert(wholes.end(), {kept.size(), {}});
      kept.push_back(std::move(combined));
    }
    whole->tree.at(argument.at).leaf = leaf_of(argument);
  }
  for (const Whole& whole : wholes) {
    Argument& argument = kept[whole.index];
    if (argument.through.empty()) {
      argument.value = write_json(whole.tree.value());
      continue;
    }
    const Value content = whole.tree.value();
    const BuiltinFile* builtin = find_builtin(mapping, write_json(content));
    if (builtin != nullptr) {
      argument.value = std::string(builtin->name);
    } else {
      mapping.files.push_back({to_text(argument.value), write_yaml(content), argument.flag});
    }
  }
  mapping.arguments = std::move(kept);
}

std::vector<std::string> argv(const Mapping& mapping) {
  std::vector<std::string> out;
  for (const Argument& argument : mapping.arguments) {
    if (argument.kind != ChannelKind::kFlag) continue;
    const bool* flag = std::get_if<bool>(&argument.value);
    if (flag != nullptr && !*flag) continue;
    out.push_back(argument.flag);
    if (flag != nullptr) continue;
    std::string value = to_text(argument.value);
    if (value.starts_with('-')) {
      out.back() += "=" + value;  // by itself, a parser would take it for another argument
    } else {
      out.push_back(std::move(value));
    }
  }
  return out;
}

std::string shell_quote(std::string_view word) {
  const bool plain =
      !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return is_alnum_or(c, "@%_-+=:,./"); });
  if (plain) return std::string(word);
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'') {
      out += "'\"'\"'";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string write_yaml(const Value& value) {
  if (!is_block(value)) return yaml_scalar(value) + "\n";
  std::string out;
  write_block(value, 0, false, out);
  return out;
}

}  // namespace quantmap

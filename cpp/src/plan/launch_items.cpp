#include "plan/launch_items.hpp"

#include <algorithm>

#include "quantmap/base/text.hpp"

namespace quantmap {

namespace {

// ["env","NAME","value"] and its like.
std::string text_of(std::string_view kind, std::string_view name, std::string_view value) {
  std::string out = "[";
  append_json_string(out, kind);
  out += ',';
  append_json_string(out, name);
  out += ',';
  append_json_string(out, value);
  return out + "]";
}

void append_value(std::string& out, const ArgumentValue& value) {
  out += static_cast<char>('0' + value.index());  // true is another value than "True"
  if (const std::string* text = std::get_if<std::string>(&value)) {
    out += *text;
  } else {
    out += to_text(value);
  }
}

}  // namespace

const LaunchItem& LaunchItems::of(const Argument& argument, const LaunchFile* file) {
  key_.assign(argument.flag);
  key_ += argument.kind == ChannelKind::kEnv ? '\1' : '\0';
  append_value(key_, argument.value);
  if (file != nullptr) key_.append(1, '\0').append(file->name).append(1, '\0').append(file->text);
  const auto known = known_.find(key_);
  if (known != known_.end()) return known->second;
  return known_.emplace(key_, make(argument, file)).first->second;
}

LaunchItem LaunchItems::make(const Argument& argument, const LaunchFile* file) {
  LaunchItem out;
  std::vector<std::string> texts;
  std::string canonical;
  if (argument.kind == ChannelKind::kEnv) {
    texts.push_back(text_of("env", argument.flag, to_text(argument.value)));
  } else {
    const std::string& canonical_flag = canonicalizer_.canonical_flag(argument.flag);
    canonical = canonicalizer_.value(canonical_flag, argument.value);
    if (!canonical.empty()) out.digest = argument_digest(canonical_flag, canonical);
    const auto flag = std::find_if(flags_.begin(), flags_.end(), [&canonical_flag](const FlagChoice& choice) {
      return choice.canonical_flag == canonical_flag;
    });
    if (flag != flags_.end()) out.flag = static_cast<int>(flag - flags_.begin());
  }
  if (file != nullptr) texts.push_back(text_of("file", file->name, sha256_hex(file->text)));
  for (const std::string& text : texts) out.digest += MultisetHash::of(text);
  if (out.flag >= 0) {
    if (file != nullptr) canonical += '\n' + texts.back();  // a file's content is part of the value
    out.canonical = flags_[static_cast<std::size_t>(out.flag)].canonical_id(canonical);
  }
  if (canonical.empty() && texts.empty()) return out;
  std::string all = canonical.empty() ? std::string() : canonicalizer_.canonical_flag(argument.flag) + '\0' + canonical;
  for (const std::string& text : texts) all += '\0' + text;
  out.id = ids_.try_emplace(std::move(all), static_cast<std::uint32_t>(ids_.size() + 1)).first->second;
  return out;
}

}  // namespace quantmap

#include "plan/members.hpp"

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

const Member& Members::of(const Argument& argument, const LaunchFile* file) {
  key_.assign(argument.flag);
  key_ += argument.kind == ChannelKind::kEnv ? '\1' : '\0';
  append_value(key_, argument.value);
  if (file != nullptr) key_.append(1, '\0').append(file->name).append(1, '\0').append(file->text);
  const auto known = known_.find(key_);
  if (known != known_.end()) return known->second;
  return known_.emplace(key_, make(argument, file)).first->second;
}

Member Members::make(const Argument& argument, const LaunchFile* file) {
  Member out;
  std::vector<std::string> texts;
  std::string effect;
  if (argument.kind == ChannelKind::kEnv) {
    texts.push_back(text_of("env", argument.flag, to_text(argument.value)));
  } else {
    const std::string& identity = effects_.identity(argument.flag);
    effect = effects_.value(identity, argument.value);
    if (!effect.empty()) out.digest = argument_digest(identity, effect);
    const auto flag = std::find_if(flags_.begin(), flags_.end(),
                                   [&identity](const FlagChoice& choice) { return choice.identity == identity; });
    if (flag != flags_.end()) out.flag = static_cast<int>(flag - flags_.begin());
  }
  if (file != nullptr) texts.push_back(text_of("file", file->name, sha256_hex(file->text)));
  for (const std::string& text : texts) out.digest += MultisetHash::of(text);
  if (out.flag >= 0) {
    if (file != nullptr) effect += '\n' + texts.back();  // a file's content is part of the value
    out.effect = flags_[static_cast<std::size_t>(out.flag)].effect_id(effect);
  }
  if (effect.empty() && texts.empty()) return out;
  std::string all = effect.empty() ? std::string() : effects_.identity(argument.flag) + '\0' + effect;
  for (const std::string& text : texts) all += '\0' + text;
  out.id = ids_.try_emplace(std::move(all), static_cast<std::uint32_t>(ids_.size() + 1)).first->second;
  return out;
}

}  // namespace quantmap

#include "items.hpp"

#include <algorithm>

#include "base/letters.hpp"

namespace quantmap::shell {

namespace {

constexpr std::size_t kMostValues = 8;  // of a loop, that are looked at one by one

}  // namespace

bool take_item(const ShellVariable& array, std::string_view key, std::vector<Piece>& made) {
  if (!array.is_array || array.more) return false;
  const std::string start = "[" + std::string(key) + "]=";
  const auto is_keyed = [](const Word& item) { return item.text.starts_with('['); };
  for (auto item = array.items.rbegin(); item != array.items.rend(); ++item) {
    if (!item->text.starts_with(start)) continue;
    made = {{item->text.substr(start.size()), item->open, item->by_default}};
    return true;
  }
  const bool is_number = key.size() < 6 && std::all_of(key.begin(), key.end(), is_digit);
  if (!is_number || std::any_of(array.items.begin(), array.items.end(), is_keyed)) return false;
  std::size_t at = 0;
  for (const char digit : key) at = 10 * at + static_cast<std::size_t>(digit - '0');
  if (at >= array.items.size()) return false;
  const auto many = [](const Word& item) { return item.many; };
  const auto end = array.items.begin() + static_cast<std::ptrdiff_t>(at) + 1;
  if (std::any_of(array.items.begin(), end, many)) return false;
  made = {{array.items[at].text, array.items[at].open, array.items[at].by_default}};
  return true;
}

std::pair<std::string, std::size_t> assigned_item(const RawWord& raw) {
  if (raw.parts.empty() || raw.parts[0].kind != PartKind::kText || raw.parts[0].quoted) return {};
  const std::string& text = raw.parts[0].text;
  std::size_t size = 0;
  while (size < text.size() && is_name(text[size])) ++size;
  if (size == 0 || is_digit(text[0]) || size >= text.size() || text[size] != '[') return {};
  const std::size_t mark = text.find("]=");
  if (mark == std::string::npos) return {raw.parts.size() > 1 ? text.substr(0, size) : std::string(), 0};
  return {text.substr(0, size), mark + 2};
}

void add_turns(const std::vector<Word>& items, ShellVariable& value) {
  const auto is_open = [](const Word& item) { return item.open || item.many; };
  if (items.size() < 2 || items.size() > kMostValues || std::any_of(items.begin(), items.end(), is_open)) return;
  value.each = true;
  for (const Word& item : items) {
    auto one = std::make_shared<ShellVariable>();
    one->text = {{item.text, false, item.by_default}};
    value.either.push_back(std::move(one));
  }
}

std::string turning_name(const std::vector<const Token*>& words, const ShellVariables& variables) {
  for (const Token* token : words) {
    for (const Part& part : token->word.parts) {
      if (part.kind != PartKind::kParameter) continue;
      const auto found = variables.values.find(part.text);
      if (found != variables.values.end() && found->second->each) return part.text;
    }
  }
  return {};
}

}  // namespace quantmap::shell
